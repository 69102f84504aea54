// attached.ts - files that were chosen, dropped or pasted, and wait for "send".
import { signal } from '@preact/signals';
import { whenLocked } from '../store.js';

export interface Attached {
	conversation: number;
	file: File;
	picture: string; // an address in memory, '' when it is none
}

export const attached = signal<readonly Attached[]>([]);

export function attach(conversation: number, files: readonly File[]): void {
	const added = files.map((file) => ({
		conversation,
		file,
		picture: file.type.startsWith('image/') && file.type !== 'image/svg+xml' ? URL.createObjectURL(file) : '',
	}));
	attached.value = [...attached.value, ...added];
}

whenLocked(() => detach(attached.value));

export function detach(gone: readonly Attached[]): void {
	for (const one of gone)
		if (one.picture !== '')
			URL.revokeObjectURL(one.picture);
	attached.value = attached.value.filter((one) => !gone.includes(one));
}
