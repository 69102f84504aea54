// rows.ts - a timeline as rows to be drawn: days, runs of one sender, events, what is on its way. Pure.
import type { Outgoing } from './world.js';
import { isSaid, type Line, type Timeline } from './timeline.js';
import { dayOf } from './times.js';
import type { Transfer } from './transfers.js';

export type Row =
	| { kind: 'beginning' | 'loading' | 'unread'; key: string }
	| { kind: 'day'; key: string; time: number }
	| { kind: 'message'; key: string; line: Line; first: boolean; last: boolean }
	| { kind: 'event'; key: string; line: Line }
	| { kind: 'outgoing'; key: string; outgoing: Outgoing }
	| { kind: 'transfer'; key: string; transfer: Transfer };

// Rows that older messages neither replace nor push away from what follows them.
export function staysInPlace(key: string): boolean {
	return key !== 'top' && !key.startsWith('day ');
}

const RUN = 300; // seconds: lines of one sender that are closer stand together

function together(a: Line | undefined, b: Line | undefined): boolean {
	if (a === undefined || b === undefined)
		return false;
	const sameKind = isSaid(a.notice) && isSaid(b.notice);
	return sameKind && a.notice.username === b.notice.username && Math.abs(b.notice.time - a.notice.time) < RUN;
}

export interface Under {
	outgoing: readonly Outgoing[];
	transfers: readonly Transfer[];
	unreadFrom: number; // a message, 0: none
}

export function rowsOf(timeline: Timeline, under: Under): Row[] {
	const { lines } = timeline;
	const rows: Row[] = [timeline.whole ? { kind: 'beginning', key: 'top' } : { kind: 'loading', key: 'top' }];
	let today = -1;
	lines.forEach((line, i) => {
		const day = dayOf(line.notice.time);
		const turns = day !== today && line.notice.time > 0;
		if (turns)
			rows.push({ kind: 'day', key: `day ${day} ${line.key}`, time: line.notice.time });
		today = turns ? day : today;
		const isFirstUnread = isSaid(line.notice) && line.notice.message === under.unreadFrom;
		if (isFirstUnread && under.unreadFrom !== 0)
			rows.push({ kind: 'unread', key: 'unread' });
		if (!isSaid(line.notice)) {
			rows.push({ kind: 'event', key: line.key, line });
			return;
		}
		const next = lines[i + 1];
		const breaks = next !== undefined && dayOf(next.notice.time) !== day;
		const first = turns || isFirstUnread || !together(lines[i - 1], line);
		const last = breaks || !together(line, next) || next?.notice.message === under.unreadFrom;
		rows.push({ kind: 'message', key: line.key, line, first, last });
	});
	for (const outgoing of under.outgoing)
		if (outgoing.content.kind === 'text' || outgoing.content.kind === 'file')
			rows.push({ kind: 'outgoing', key: `out ${outgoing.ticket}`, outgoing });
	for (const transfer of under.transfers)
		rows.push({ kind: 'transfer', key: `file ${transfer.id}`, transfer });
	return rows;
}
