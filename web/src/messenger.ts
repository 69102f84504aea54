// messenger.ts - what the page asks of the worker, and what it hears from it.
//
// Types only. The worker holds the engine (the C core as WebAssembly), the local store and the
// network; the page draws. Names and meanings are those of core/engine/engine.h: a Command is a
// tacit_command, a Notice is a tacit_notice. Ids are integers below 2^53. Every text that comes from
// outside is shown as text, never as markup.

export type ConversationKind = 'direct' | 'group' | 'room' | 'session';

export type Content =
	| { kind: 'text'; text: string; replyTo?: number }
	| { kind: 'file'; text: string; file: FileRef; replyTo?: number }
	| { kind: 'reaction'; message: number; text: string } // text: one emoji; '': taken back
	| { kind: 'edit'; message: number; text: string } // of an own message
	| { kind: 'delete'; message: number }; // an own message, for everyone

// token names the key of the file inside the worker; the page never sees a key.
export interface FileRef {
	id: string;
	name: string;
	type: string;
	size: number;
	token: string;
}

export type Command =
	| { kind: 'register'; username: string; email: string; password: string; text: string } // text: invitation
	| { kind: 'verify_totp'; code: string }
	| { kind: 'login'; username: string; email: string; password: string; code: string }
	| { kind: 'logout' }
	| { kind: 'whoami' }
	| { kind: 'users'; text: string }
	| { kind: 'conversations' }
	| { kind: 'sync'; conversation: number }
	| { kind: 'send'; conversation?: number; username?: string; content: Content }
	| { kind: 'resolve'; username: string }
	| { kind: 'create_group' | 'create_room'; text: string; users: string[] } // a room's name is the server's to read
	| { kind: 'add'; conversation: number; users: string[] }
	| { kind: 'remove'; conversation: number; username: string }
	| { kind: 'mark_read'; conversation: number; message: number }
	| { kind: 'safety_number'; username: string }
	| { kind: 'set_verified'; username: string; text: string }
	| { kind: 'accept_key'; username: string; text: string }
	| { kind: 'compare'; username: string; text: string } // text: as it was typed or scanned
	| { kind: 'devices' }
	| { kind: 'revoke_device'; text: string }
	| { kind: 'typing'; conversation: number; flag: boolean }
	| { kind: 'create_session'; users: string[]; seconds: number }
	| { kind: 'close_session'; conversation: number }
	| { kind: 'drop'; text: string }
	| { kind: 'set_expiry'; conversation: number; seconds: number };

export type NoticeKind =
	| 'done' | 'failed' | 'totp_setup' | 'recovery_codes' | 'user' | 'conversation' | 'message'
	| 'refused' | 'missing' | 'key_changed' | 'safety' | 'device' | 'read' | 'member' | 'warning'
	| 'expiry' | 'expired' | 'closed' | 'typing' | 'outgoing' | 'presence'
	// What became of a message that was told, or is in the history: replaced in place by its id.
	| 'edited' // the whole message as it is now; takes the place of the 'message'
	| 'deleted' // takes the place of the 'message' for good; also in the history
	| 'reaction'; // username has said text to it ('': took it back); detail takes the place of its detail

// Fields that a kind does not use are '' or 0 or false; engine.h says which kind uses which.
export interface Notice {
	kind: NoticeKind;
	op: number;
	error: string; // '' or the name of the error: 'KEY_CHANGED', 'BAD_PASSWORD', ...
	text: string;
	detail: string; // 'message', 'edited', 'reaction': all reactions, one a line: username, space, emoji
	username: string;
	conversation: number;
	message: number;
	conversationKind: ConversationKind | '';
	title: string;
	members: string[];
	count: number; // 'message', 'edited': not 0 when it was edited
	seconds: number;
	time: number; // Unix seconds
	flag: boolean;
	content: Content | null;
}

// One line of a conversation's history: a notice as it was told, and where it stands.
export interface Entry {
	position: number; // ascending in time; the next page is asked for `before` the least of them
	notice: Notice;
}

export interface ProfileState {
	account: string; // username; '': nobody has registered or logged in on this browser
	locked: boolean;
	loggedIn: boolean;
}

export type Link = { state: 'connecting' | 'online' | 'asking' | 'offline'; text: string; seconds: number };

// What a call that failed rejects with: code is a name of an error, text a sentence for the person.
export interface Problem {
	code: string;
	text: string;
}

export interface Progress {
	done: number; // bytes
	total: number;
}

export interface Messenger {
	state(): Promise<ProfileState>;
	unlock(password: string): Promise<ProfileState>;
	// Forgets the keys in memory; unlock brings them back.
	lock(): Promise<void>;
	// Removes the account and all that is kept of it from this browser.
	forget(): Promise<void>;

	// Runs a command to its end: every notice but DONE and FAILED goes to `told` as it comes.
	// Resolves with DONE, rejects with a Problem.
	run(command: Command, told?: (notice: Notice) => void): Promise<Notice>;
	// Known here, without asking the server; then the messages that wait to be sent (OUTGOING).
	conversations(): Promise<Notice[]>;
	// The last `limit` entries before a position (none: the end), oldest first.
	history(conversation: number, before: number | null, limit: number): Promise<Entry[]>;
	// Entries whose text, file name or caption holds every word of the query, newest first.
	search(query: string, limit: number): Promise<Entry[]>;

	// Seals, uploads (resumable) and sends. Resolves when the message is acknowledged.
	sendFile(conversation: number, file: Blob, name: string, caption: string,
		progress: (p: Progress) => void, signal: AbortSignal): Promise<Notice>;
	// Downloads, proves and opens: into a file of the person's choice, or into memory (previews).
	saveFile(file: FileRef, sink: WritableStream<Uint8Array>,
		progress: (p: Progress) => void, signal: AbortSignal): Promise<void>;

	// A setting of this browser, sealed with the rest. '' when there is none.
	setting(name: string): Promise<string>;
	setSetting(name: string, value: string): Promise<void>;

	// What happens of its own accord, and how the connection is. Returns what ends the listening.
	onNotice(hear: (notice: Notice) => void): () => void;
	onLink(hear: (link: Link) => void): () => void;
	onLocked(hear: () => void): () => void;
}
