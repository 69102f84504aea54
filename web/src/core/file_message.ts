// file_message.ts - a file, and the message that names it.
import type { Command, Entry, FileRef, Notice } from '../messenger.js';
import { ProblemError } from './problem.js';
import { stopIfAborted, type Transfer } from './transfer.js';
import { upload, uploadForget } from './upload.js';

export interface Parcel {
	conversation: number;
	file: Blob;
	name: string;
	caption: string;
}

// What is needed of the service.
export interface Post {
	send(command: Command): Promise<Notice>;
	outgoing(): Promise<Notice[]>;
	lastEntries(conversation: number): Promise<Entry[]>;
	// Until something was kept, or the signal.
	nextStep(signal: AbortSignal): Promise<void>;
}

function isOf(notice: Notice, file: string): boolean {
	return notice.content?.kind === 'file' && notice.content.file.id === file;
}

// The message waits here and goes out with the network, perhaps much later.
async function untilSent(t: Transfer, post: Post, conversation: number, file: string): Promise<Notice> {
	for (;;) {
		const step = post.nextStep(t.signal);
		const waits = (await post.outgoing()).some((notice) => isOf(notice, file));
		if (!waits) break;
		await step;
		stopIfAborted(t.signal);
	}
	const entries = await post.lastEntries(conversation);
	const sent = entries.find(({ notice }) => notice.kind === 'message' && isOf(notice, file));
	if (sent === undefined) throw new ProblemError('REFUSED');
	return { ...sent.notice, kind: 'done', content: null };
}

// Resolves with DONE when the message is acknowledged.
export async function sendFile(t: Transfer, post: Post, parcel: Parcel): Promise<Notice> {
	const { conversation, file, name, caption } = parcel;
	const { id, token } = await upload(t, parcel);
	const ref: FileRef = { id, name, type: file.type, size: file.size, token };
	const forget = (): Promise<void> =>
		uploadForget(t, parcel).catch(() => undefined); // left behind it costs the next upload a question
	try {
		const content = { kind: 'file', text: caption, file: ref } as const;
		const done = await post.send({ kind: 'send', conversation, content });
		await forget();
		return done;
	} catch (e) {
		if (!(e instanceof ProblemError) || !e.kept) throw e;
		await forget();
		return untilSent(t, post, conversation, id);
	}
}
