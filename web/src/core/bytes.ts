// bytes.ts - small things about bytes.

export type Bytes = Uint8Array<ArrayBuffer>;

// WebCrypto, IndexedDB and postMessage want bytes that nobody else holds: views into WebAssembly's
// memory move when it grows.
export function ownBytes(view: Uint8Array): Bytes {
	return new Uint8Array(view);
}

export function hex(bytes: Uint8Array): string {
	let text = '';
	for (const b of bytes) text += b.toString(16).padStart(2, '0');
	return text;
}

export function unhex(text: string): Bytes {
	const out = new Uint8Array(text.length >> 1);
	for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
	return out;
}

export function joined(parts: readonly Uint8Array[]): Bytes {
	const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
	let at = 0;
	for (const p of parts) {
		out.set(p, at);
		at += p.length;
	}
	return out;
}
