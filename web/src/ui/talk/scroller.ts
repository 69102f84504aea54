// scroller.ts - a long list of rows whose heights are not known beforehand, in one scrolling frame.
//
// Only the rows in sight and some around them are drawn. What the person looks at stays where it is
// when rows are added above or turn out taller than estimated: the first row in sight is the anchor.
// Who is at the end stays at the end.
import { useCallback, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { staysInPlace } from '../rows.js';
import { indexAt, spanOf, topsOf, type Span } from '../window.js';

const ESTIMATE = 64; // pixels
const MARGIN = 800; // drawn beyond what is in sight
const AT_END = 40; // nearer than that is "at the end"

interface Anchor {
	key: string;
	offset: number; // of the frame's top below the row's top
}

export interface Scroller {
	frame: { current: HTMLDivElement | null };
	inside: { current: HTMLDivElement | null };
	span: Span;
	atEnd: boolean;
	onScroll: () => void;
	toEnd: () => void;
	toRow: (key: string) => void; // in the middle
}

// start: the row that is shown first; '': the end.
export function useScroller(keys: readonly string[], start: string, nearTop: () => void): Scroller {
	const frame = useRef<HTMLDivElement>(null);
	const inside = useRef<HTMLDivElement>(null);
	const heights = useRef(new Map<string, number>());
	const anchor = useRef<Anchor | null>(start === '' ? null : { key: start, offset: -ESTIMATE * 2 });
	const [measured, setMeasured] = useState(0);
	const known = useRef(0); // the scrollTop that the anchor stands for
	const asked = useRef(false); // the anchor is where somebody wants to go, wherever the frame is
	const [view, setView] = useState({ top: Number.MAX_SAFE_INTEGER, height: 900 });
	const [atEnd, setAtEnd] = useState(start === '');

	const tops = useMemo(() => topsOf(keys, heights.current, ESTIMATE), [keys, measured]);
	const places = useMemo(() => new Map(keys.map((key, i) => [key, i])), [keys]);
	const wanted = wantedTop(anchor.current, places, tops, view);
	const span = spanOf(tops, wanted, view.height, MARGIN);

	const look = useCallback(() => {
		const box = frame.current;
		if (box === null || asked.current)
			return;
		const end = box.scrollHeight - box.scrollTop - box.clientHeight < AT_END;
		setAtEnd(end);
		setView((old) => (old.top === box.scrollTop && old.height === box.clientHeight
			? old : { top: box.scrollTop, height: box.clientHeight }));
		let i = indexAt(tops, box.scrollTop);
		while (i < keys.length - 1 && !staysInPlace(keys[i]!))
			i++;
		const key = keys[i];
		if (end || key === undefined)
			anchor.current = null;
		else if (Math.abs(box.scrollTop - known.current) > 1)
			anchor.current = { key, offset: box.scrollTop - tops[i]! };
		known.current = box.scrollTop;
		if (box.scrollTop < box.clientHeight)
			nearTop();
	}, [tops, keys, nearTop]);

	const measure = useCallback(() => {
		let changed = false;
		for (const row of inside.current?.children ?? []) {
			const key = row instanceof HTMLElement ? row.dataset['key'] : undefined;
			const height = row.getBoundingClientRect().height;
			if (key === undefined || heights.current.get(key) === height)
				continue;
			heights.current.set(key, height);
			changed = true;
		}
		if (changed)
			setMeasured((n) => n + 1);
	}, []);

	useLayoutEffect(() => {
		measure();
		const box = frame.current;
		if (box === null || (!asked.current && Math.abs(box.scrollTop - known.current) > 1))
			return; // it was scrolled just now, and look() has not heard of it yet
		asked.current = false;
		if (box.clientHeight !== view.height)
			setView((old) => ({ ...old, height: box.clientHeight }));
		const top = anchor.current === null ? box.scrollHeight - box.clientHeight : wanted;
		const moves = Math.abs(box.scrollTop - top) > 1;
		if (moves)
			box.scrollTop = top;
		known.current = box.scrollTop;
		if (box.scrollTop < box.clientHeight)
			nearTop();
		if (!moves && !atEnd && box.scrollHeight - box.clientHeight < AT_END)
			look(); // all of it is in sight: no scrolling will ever tell
	});
	useLayoutEffect(() => {
		const observer = new ResizeObserver(() => {
			measure();
			const box = frame.current;
			if (box !== null && anchor.current === null) {
				box.scrollTop = box.scrollHeight;
				known.current = box.scrollTop;
			}
			if (box !== null)
				setView((old) => (old.height === box.clientHeight ? old : { ...old, height: box.clientHeight }));
		});
		if (inside.current !== null)
			observer.observe(inside.current);
		if (frame.current !== null)
			observer.observe(frame.current);
		return () => observer.disconnect();
	}, []);

	const go = (to: Anchor | null) => {
		anchor.current = to;
		asked.current = true;
		setAtEnd(to === null);
		setMeasured((n) => n + 1);
	};
	return {
		frame,
		inside,
		span,
		atEnd,
		onScroll: look,
		toEnd: () => go(null),
		toRow: (key) => go({ key, offset: -view.height / 3 }),
	};
}

function wantedTop(anchor: Anchor | null, places: ReadonlyMap<string, number>, tops: Float64Array,
	view: { top: number; height: number }): number {
	const end = Math.max(0, (tops.at(-1) ?? 0) - view.height);
	if (anchor === null)
		return end;
	const i = places.get(anchor.key);
	if (i === undefined)
		return Math.min(view.top, end);
	return Math.max(0, Math.min(end, tops[i]! + anchor.offset));
}
