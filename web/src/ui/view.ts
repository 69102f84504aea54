// view.ts - what is in front of the person: the open conversation, dialogs, and short messages.
import { computed, signal } from '@preact/signals';
import { changedKeys } from './world.js';
import { called, whenLocked, world } from './store.js';

export interface Question {
	title: string;
	text: string;
	action: string;
	danger: boolean;
	answer: () => void | Promise<void>;
}

export type Dialog =
	| { kind: 'new' }
	| { kind: 'add'; conversation: number }
	| { kind: 'safety'; username: string }
	| { kind: 'devices' }
	| { kind: 'settings' }
	| { kind: 'expiry'; conversation: number }
	| { kind: 'emoji'; choose: (emoji: string) => void }
	| { kind: 'picture'; name: string; url: string }
	| { kind: 'question'; question: Question };

export const dialogs = signal<readonly Dialog[]>([]);

export function openDialog(dialog: Dialog): void {
	dialogs.value = [...dialogs.value, dialog];
}

export function closeDialog(dialog: Dialog): void {
	dialogs.value = dialogs.value.filter((d) => d !== dialog);
}

export function askFirst(question: Question): void {
	openDialog({ kind: 'question', question });
}

// --- the open conversation ----------------------------------------------------------------------

export const openId = signal(0);
export const lastOpen = signal(0); // where the focus goes back to in the list
export const detailsOpen = signal(false);
export const open = computed(() => {
	const c = world.value.conversations.get(openId.value);
	return c === undefined ? undefined : called(c);
});
export const openTimeline = computed(() => world.value.timelines.get(openId.value));
export const openChangedKeys = computed(() => changedKeys(world.value, openId.value));

// A message to be brought into view: a quote, or something that was searched for.
export const target = signal<{ conversation: number; message: number } | null>(null);

// --- short messages -----------------------------------------------------------------------------

export interface Toast {
	id: number;
	text: string;
	bad: boolean;
}

export const toasts = signal<readonly Toast[]>([]);
const TOAST_LASTS = 6000; // milliseconds
let toastCount = 0;

export function say(text: string, bad = false): void {
	const toast = { id: ++toastCount, text, bad };
	toasts.value = [...toasts.value.slice(-2), toast];
	setTimeout(() => hush(toast.id), TOAST_LASTS);
}

export function hush(id: number): void {
	toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

whenLocked(() => {
	dialogs.value = [];
	toasts.value = [];
	openId.value = 0;
	detailsOpen.value = false;
	target.value = null;
	announcement.value = { count: 0, text: '' };
});

// For screen readers alone. The same text twice is said twice.
export const announcement = signal({ count: 0, text: '' });

export function announce(text: string): void {
	announcement.value = { count: announcement.value.count + 1, text };
}
