// text.ts - texts that came from outside, made ready to be shown as text. Pure.

export type Piece = { kind: 'text'; text: string } | { kind: 'link'; text: string; href: string };

const MAYBE_LINK = /\bhttps?:\/\/[^\s<>"]+/giu;
const CLOSING = /[.,;:!?'"’”»)\]}]+$/u;

// Only http and https, as the browser itself reads them. A host that is not plain ASCII is shown in
// its encoded form, so that look-alike letters give themselves away.
function link(candidate: string): Piece | null {
	if (!URL.canParse(candidate))
		return null;
	const url = new URL(candidate);
	if ((url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '')
		return null;
	const odd = url.hostname.split('.').some((label) => label.startsWith('xn--'));
	return { kind: 'link', text: odd ? url.href : candidate, href: url.href };
}

// Punctuation behind an address belongs to the sentence, but for a bracket that the address opened.
function trimEnd(candidate: string): string {
	const tail = CLOSING.exec(candidate)?.[0] ?? '';
	const short = candidate.slice(0, candidate.length - tail.length);
	const open = short.split('(').length - short.split(')').length;
	return open > 0 && tail.startsWith(')') ? `${short})` : short;
}

export function pieces(text: string): Piece[] {
	const out: Piece[] = [];
	let from = 0;
	for (const match of text.matchAll(MAYBE_LINK)) {
		const candidate = trimEnd(match[0]);
		const found = link(candidate);
		if (found === null)
			continue;
		if (match.index > from)
			out.push({ kind: 'text', text: text.slice(from, match.index) });
		out.push(found);
		from = match.index + candidate.length;
	}
	if (from < text.length)
		out.push({ kind: 'text', text: text.slice(from) });
	return out;
}

// A file's name as it may be shown: no controls, nothing that turns the direction ("gpj.exe").
export function safeName(name: string): string {
	const clean = name.replace(/[\p{Cc}\p{Cf}\u2028\u2029/\\]/gu, '').trim();
	return clean === '' ? 'file' : clean;
}

export function oneLine(text: string, most = 160): string {
	const line = text.replace(/\s+/gu, ' ').trim();
	const letters = [...line.slice(0, most * 2)];
	return letters.length > most ? `${letters.slice(0, most).join('')}…` : line;
}

export function initials(name: string): string {
	const words = name.split(/[\s._-]+/u).filter((word) => word !== '');
	const letters = words.slice(0, 2).map((word) => [...word][0] ?? '');
	return letters.join('').toUpperCase();
}

export const HUES = 8;

export function hueOf(name: string): number {
	let hash = 2166136261; // FNV-1a, so that neighbours differ
	for (const letter of name.toLowerCase())
		hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 16777619);
	return ((hash ^ (hash >>> 15)) >>> 0) % HUES;
}

const PICTURE_OF = /\p{Extended_Pictographic}|\p{RI}/u;
let graphemes: Intl.Segmenter | undefined; // made late: its tables cost the start of the app tens of milliseconds

// One to three emoji and nothing else: shown large.
export function isJumbo(text: string): boolean {
	const line = text.replace(/\s/gu, '');
	if (line === '' || line.length > 40 || !PICTURE_OF.test(line))
		return false;
	graphemes ??= new Intl.Segmenter();
	const letters = [...graphemes.segment(line)];
	return letters.length <= 3 && letters.every(({ segment }) => PICTURE_OF.test(segment));
}

// The types whose pictures are shown: decoded by every browser, and never with script inside.
const PICTURES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif'];

export function isPicture(type: string): boolean {
	return PICTURES.includes(type.toLowerCase());
}

export function digitsOf(text: string): string {
	return text.replace(/\D/gu, '');
}
