// scan.tsx - a QR code is read from the camera, or from a picture, until one is taken.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Codes } from '../codes.js';
import { Camera, type CameraProblem } from '../widgets/camera.js';
import { Icon } from '../widgets/icons.js';

interface Props {
	take: (text: string) => Promise<string>; // why it is not what is looked for; '': it is
	children: ComponentChildren; // what else one can do
}

export function Scan({ take, children }: Props) {
	const [codes] = useState(() => new Codes());
	const [problem, setProblem] = useState<CameraProblem | null>(null);
	const [said, setSaid] = useState('');
	const last = useRef('');
	useEffect(() => () => codes.close(), []);
	const seen = async (text: string) => {
		if (text === last.current) // it is still there
			return;
		last.current = text;
		setSaid(await take(text));
	};
	const fromFile = async (file: File | undefined) => {
		if (file === undefined)
			return;
		try {
			const text = await codes.picture(file);
			setSaid(text === '' ? t('scan.nothing') : await take(text));
		} catch {
			setProblem('unread');
		}
	};
	return (
		<div class="scan">
			{problem === null ? <p class="muted">{t('scan.hint')}</p> : <p class="note bad" role="alert">{t(`scan.${problem}`)}</p>}
			{problem === null && <Camera codes={codes} seen={seen} failed={setProblem} />}
			<p class="failure" role="alert">{said}</p>
			<div class="buttons">
				{problem !== 'unread' && (
					<label class="plain button">
						<Icon name="file" />{t('scan.file')}
						<input type="file" accept="image/*" class="unseen"
							onChange={(event) => {
								void fromFile(event.currentTarget.files?.[0]);
								event.currentTarget.value = '';
							}} />
					</label>
				)}
				{children}
			</div>
		</div>
	);
}
