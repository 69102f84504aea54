// world.ts - all that the page knows of conversations and people, and what is asked of it. Pure.
import type { Content, ConversationKind, Notice } from '../messenger.js';
import type { Timeline } from './timeline.js';

export type Presence = 'online' | 'away' | 'offline';

export interface Conversation {
	id: number;
	kind: ConversationKind;
	title: string;
	named: boolean; // else the title is who else is in
	members: readonly string[];
	unread: number;
	verified: boolean;
	kept: number; // seconds that messages are kept; 0: for good
	endsAt: number; // Unix seconds; 0: never
	readUpTo: ReadonlyMap<string, number>; // by member
	newest: number; // greatest message id seen
	last: Notice | null; // newest line, for the list
	movedAt: number; // Unix seconds
	closed: boolean;
	left: boolean;
}

// An own message that is on its way.
export interface Outgoing {
	ticket: string; // the core's id of a waiting message; one of ours while it is being sent
	state: 'sending' | 'waiting';
	conversation: number;
	content: Content;
	time: number;
}

// Must be acknowledged; a changed key stays until it is accepted.
export interface Alert {
	id: string;
	kind: 'key_changed' | 'warning';
	conversation: number;
	username: string;
	error: string;
	text: string;
	time: number;
	seen: boolean;
}

export interface World {
	self: string;
	conversations: ReadonlyMap<number, Conversation>;
	timelines: ReadonlyMap<number, Timeline>; // of conversations that were opened
	presence: ReadonlyMap<string, Presence>;
	typing: ReadonlyMap<number, ReadonlyMap<string, number>>; // until, Unix seconds
	outgoing: readonly Outgoing[];
	alerts: readonly Alert[];
}

export const emptyWorld: World = {
	self: '',
	conversations: new Map(),
	timelines: new Map(),
	presence: new Map(),
	typing: new Map(),
	outgoing: [],
	alerts: [],
};

// --- what is asked of a world -------------------------------------------------------------------

export function listed(world: World): Conversation[] {
	return [...world.conversations.values()].sort((a, b) => b.movedAt - a.movedAt || b.id - a.id);
}

export function typists(world: World, id: number): string[] {
	return [...(world.typing.get(id)?.keys() ?? [])];
}

// Who of the others has read that far.
export function readers(c: Conversation, self: string, message: number): string[] {
	return [...c.readUpTo].filter(([name, upTo]) => name !== self && upTo >= message).map(([name]) => name);
}

export function changedKeys(world: World, id: number): string[] {
	const c = world.conversations.get(id);
	const keys = world.alerts.filter((a) => a.kind === 'key_changed');
	return [...new Set(keys.map((a) => a.username))].filter((name) => c?.members.includes(name) || c?.title === name);
}

export function totalUnread(world: World): number {
	let sum = 0;
	for (const c of world.conversations.values())
		sum += c.unread;
	return sum;
}
