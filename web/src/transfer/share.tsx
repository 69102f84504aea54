// share.tsx - a link for the other person: as a QR code, to copy, and to hand to another program.
import { useState } from 'preact/hooks';
import { QrCode } from '../ui/widgets/qr.js';
import { text } from './texts.js';

export function Share({ link }: { link: string }) {
	const [copied, setCopied] = useState(false);
	const copy = () => {
		navigator.clipboard.writeText(link).then(() => setCopied(true)).catch(() => undefined);
	};
	const share = () => void navigator.share({ url: link }).catch(() => undefined); // thought better of it
	return (
		<>
			<QrCode text={link} label={text('give.qr')} />
			<div class="buttons">
				<button type="button" class="plain" onClick={copy}>{copied ? text('copied') : text('copy')}</button>
				{'share' in navigator && <button type="button" class="plain" onClick={share}>{text('share')}</button>}
			</div>
			<p class="unseen" role="status">{copied ? text('copied') : ''}</p>
		</>
	);
}
