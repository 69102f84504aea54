// body.tsx - the text of a message: text, and addresses that can be followed.
import { useMemo } from 'preact/hooks';
import { pieces } from '../text.js';

export function Body({ text }: { text: string }) {
	const parts = useMemo(() => pieces(text), [text]);
	return (
		<p class="body" dir="auto">
			{parts.map((piece, i) =>
				piece.kind === 'text' ? piece.text : (
					<a key={i} href={piece.href} target="_blank" rel="noopener noreferrer">{piece.text}</a>
				))}
		</p>
	);
}
