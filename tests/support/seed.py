"""What happens at random happens so in every run of the suite: a change is judged by what it changes. TACIT_SEED gives
another seed, TACIT_SEED=any a new one each time (make soak)."""
import os
import random


def seed():
    given = os.environ.get("TACIT_SEED", "1")
    return random.SystemRandom().randrange(2**32) if given == "any" else int(given)
