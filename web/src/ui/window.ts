// window.ts - which part of a long list is drawn, and where. Pure.
//
// Lines have heights that are known only once they were drawn; until then an estimate stands in.
// `tops` are the running sums, so that finding a line is a binary search and ten thousand lines
// cost ten thousand additions when one of them changes.

export interface Span {
	from: number; // first index that is drawn
	until: number; // one past the last
	before: number; // pixels above
	after: number; // pixels below
}

export function topsOf(keys: readonly string[], heights: ReadonlyMap<string, number>, estimate: number): Float64Array {
	const tops = new Float64Array(keys.length + 1);
	let sum = 0;
	for (let i = 0; i < keys.length; i++) {
		sum += heights.get(keys[i]!) ?? estimate;
		tops[i + 1] = sum;
	}
	return tops;
}

// The last index whose top is at or above y.
export function indexAt(tops: Float64Array, y: number): number {
	let low = 0;
	let high = Math.max(0, tops.length - 2);
	while (low < high) {
		const middle = (low + high + 1) >> 1;
		if (tops[middle]! <= y)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

export function spanOf(tops: Float64Array, scrollTop: number, viewport: number, margin: number): Span {
	const count = tops.length - 1;
	if (count === 0)
		return { from: 0, until: 0, before: 0, after: 0 };
	const from = indexAt(tops, Math.max(0, scrollTop - margin));
	const until = Math.min(count, indexAt(tops, scrollTop + viewport + margin) + 1);
	return { from, until, before: tops[from]!, after: tops[count]! - tops[until]! };
}
