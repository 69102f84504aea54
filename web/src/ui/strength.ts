// strength.ts - how strong a password looks, computed here and told to nobody. Pure.
//
// An estimate in bits: letters from the alphabet that was used, with little credit for what people
// repeat, type in a row, or take from the lists that guessers begin with.

const COMMON = [
	'password', 'passwort', 'letmein', 'welcome', 'qwerty', 'qwertz', 'iloveyou', 'monkey', 'dragon',
	'football', 'admin', 'login', 'master', 'sunshine', 'princess', 'hallo', 'geheim', 'schatz',
	'tacit', 'secret', 'summer', 'sommer', 'winter', 'abc123', 'test',
];

function alphabet(text: string): number {
	let size = 0;
	if (/\p{Ll}/u.test(text))
		size += 26;
	if (/\p{Lu}/u.test(text))
		size += 26;
	if (/\p{Nd}/u.test(text))
		size += 10;
	if (/[^\p{L}\p{Nd}]/u.test(text))
		size += 20;
	return Math.max(size, 1);
}

// How many letters say something that the one before did not.
function telling(text: string): number {
	const codes = [...text.toLowerCase()].map((letter) => letter.codePointAt(0) ?? 0);
	let count = 0;
	for (let i = 0; i < codes.length; i++) {
		const step = codes[i]! - (codes[i - 1] ?? -99);
		const before = (codes[i - 1] ?? -99) - (codes[i - 2] ?? 99);
		const predictable = step === 0 || (Math.abs(step) === 1 && step === before);
		count += predictable ? 0.25 : 1;
	}
	const different = new Set(codes).size;
	return Math.min(count, different * 2);
}

function withoutKnown(password: string, personal: readonly string[]): string {
	let rest = password.toLowerCase();
	let kept = password;
	for (const word of [...COMMON, ...personal.map((p) => p.toLowerCase())]) {
		const from = word.length < 3 ? -1 : rest.indexOf(word);
		if (from < 0)
			continue;
		rest = rest.slice(0, from) + rest.slice(from + word.length - 1);
		kept = kept.slice(0, from) + kept.slice(from + word.length - 1);
	}
	return kept;
}

export type Strength = 0 | 1 | 2 | 3 | 4;

// personal: what a guesser would try first (name, address).
export function strength(password: string, personal: readonly string[]): Strength {
	const rest = withoutKnown(password, personal);
	const bits = telling(rest) * Math.log2(alphabet(rest));
	if ([...password].length < 8 || bits < 28)
		return bits < 18 ? 0 : 1;
	if (bits < 45)
		return bits < 36 ? 1 : 2;
	return bits < 60 ? 3 : 4;
}
