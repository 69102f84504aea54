// timeline.ts - the lines of one conversation: what was told live and what the history has. Pure.
import type { Content, Entry, Notice } from '../messenger.js';

export interface Line {
	key: string; // the same line has the same key however it came
	position: number;
	notice: Notice;
}

export interface Timeline {
	lines: readonly Line[];
	oldest: number | null; // position, null: nothing was loaded yet
	whole: boolean; // there is nothing older
}

export const emptyTimeline: Timeline = { lines: [], oldest: null, whole: false };

const SLOTS = 8; // positions per message id (core/engine/engine.h)

// A new device is told what lies before it; nobody did anything wrong.
export function isBeforeThisDevice(n: Notice): boolean {
	return n.kind === 'warning' && n.error === 'WRONG_RECIPIENT';
}

// Who is removed is not shown the conversation any more, and cannot tell that from a server that
// hides it; it says so in its place, and alarms nobody.
export function isRemoval(n: Notice): boolean {
	return n.kind === 'warning' && n.error === 'GONE' && n.conversation !== 0;
}

// A device that is none of the account's any more, perhaps this one, or that was not there yet.
export function isNoDevice(n: Notice): boolean {
	return n.kind === 'warning' && n.error === 'NO_DEVICE';
}

export function isLoud(n: Notice): boolean {
	return n.kind === 'key_changed' ||
		(n.kind === 'warning' && !isBeforeThisDevice(n) && !isRemoval(n) && !isNoDevice(n));
}

// Something that somebody said, whatever has become of it.
export function isSaid(notice: Notice): boolean {
	return notice.kind === 'message' || notice.kind === 'deleted';
}

export function keyOf(n: Notice): string {
	if (isSaid(n))
		return `m${n.message}`;
	return `${n.kind} ${n.username} ${n.time} ${n.message} ${n.count} ${n.error} ${n.text}`;
}

// Content that changes a message and is none of its own.
export function isAbout(content: Content | null): content is Extract<Content, { message: number }> {
	return content !== null && 'message' in content;
}

// A live notice brings no position: its message tells it, or it stands at the end.
function positionOf(timeline: Timeline, notice: Notice): number {
	if (notice.message > 0)
		return notice.message * SLOTS + SLOTS / 2;
	return (timeline.lines.at(-1)?.position ?? 0) + 1 / 1024;
}

function sorted(lines: Line[]): Line[] {
	for (let i = 1; i < lines.length; i++)
		if (lines[i - 1]!.position > lines[i]!.position)
			return lines.sort((a, b) => a.position - b.position);
	return lines;
}

// Puts a line in its place; told again, it is what it is now.
export function addLive(timeline: Timeline, notice: Notice): Timeline {
	const key = keyOf(notice);
	const at = timeline.lines.findLastIndex((line) => line.key === key);
	if (at >= 0)
		return replaceAt(timeline, at, notice);
	const line = { key, position: positionOf(timeline, notice), notice };
	return { ...timeline, lines: sorted([...timeline.lines, line]) };
}

function replaceAt(timeline: Timeline, at: number, notice: Notice): Timeline {
	const old = timeline.lines[at];
	if (old === undefined || (old.notice.kind === 'deleted' && notice.kind === 'message'))
		return timeline;
	const lines = [...timeline.lines];
	lines[at] = { ...old, notice };
	return { ...timeline, lines };
}

// The usual case is a page that is older than all there is: nothing to be sorted then.
function joined(lines: readonly Line[], page: readonly Line[]): Line[] {
	const first = lines[0];
	if (first === undefined || page.every((line) => line.position < first.position))
		return [...sorted([...page]), ...lines];
	const known = new Map([...lines, ...page].map((line) => [line.key, line]));
	return sorted([...known.values()]);
}

export function addPage(timeline: Timeline, page: readonly Entry[], asked: number): Timeline {
	const least = page.reduce((min, entry) => Math.min(min, entry.position), timeline.oldest ?? Infinity);
	return {
		lines: joined(timeline.lines, page.map(({ position, notice }) => ({ key: keyOf(notice), position, notice }))),
		oldest: least === Infinity ? 0 : least,
		whole: timeline.whole || page.length < asked,
	};
}

// A message that is here says something else now: edited, deleted, reacted to.
export function amend(timeline: Timeline, message: number, change: (old: Notice) => Notice): Timeline {
	const at = timeline.lines.findLastIndex((line) => line.notice.message === message && isSaid(line.notice));
	const old = timeline.lines[at];
	return old === undefined ? timeline : replaceAt(timeline, at, change(old.notice));
}

// The messages `from` to `until` are gone.
export function dropMessages(timeline: Timeline, from: number, until: number): Timeline {
	const gone = ({ notice }: Line) => isSaid(notice) && notice.message >= from && notice.message <= until;
	return { ...timeline, lines: timeline.lines.filter((line) => !gone(line)) };
}

export function find(timeline: Timeline, message: number): Line | undefined {
	return timeline.lines.findLast(({ notice }) => isSaid(notice) && notice.message === message);
}

export interface Reaction {
	emoji: string;
	names: readonly string[];
}

// From the detail of a message: one a line: username, space, emoji. Most frequent first.
export function reactionsOf(notice: Notice): Reaction[] {
	const names = new Map<string, string[]>();
	for (const line of notice.kind === 'message' ? notice.detail.split('\n') : []) {
		const space = line.indexOf(' ');
		const emoji = line.slice(space + 1);
		if (space > 0 && emoji !== '')
			names.set(emoji, [...(names.get(emoji) ?? []), line.slice(0, space)]);
	}
	return [...names].map(([emoji, who]) => ({ emoji, names: who })).sort((a, b) => b.names.length - a.names.length);
}

// The text of a message or of a file's caption.
export function textOf(notice: Notice): string {
	const content = notice.kind === 'message' ? notice.content : null;
	return content !== null && !isAbout(content) ? content.text : '';
}
