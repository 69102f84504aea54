// turns.ts - one after the other.

export class Turns {
	private last: Promise<unknown> = Promise.resolve();

	// Runs work once all that was given before has ended, however it ended.
	take<T>(work: () => Promise<T>): Promise<T> {
		const mine = this.last.then(work, work);
		this.last = mine.catch(() => undefined);
		return mine;
	}
}
