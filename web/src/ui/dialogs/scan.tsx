// scan.tsx - a QR code is read from the camera, or from a picture, where the browser can.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Icon } from '../widgets/icons.js';

// Not in TypeScript's library: https://wicg.github.io/shape-detection-api/
interface Detector {
	detect(source: ImageBitmapSource): Promise<readonly { rawValue: string }[]>;
}
type DetectorMaker = new (options: { formats: string[] }) => Detector;

function detector(): Detector | null {
	const maker = (globalThis as { BarcodeDetector?: DetectorMaker }).BarcodeDetector;
	return maker === undefined ? null : new maker({ formats: ['qr_code'] });
}

const EVERY = 200; // milliseconds between two looks

async function look(eye: Detector, source: ImageBitmapSource): Promise<string> {
	try {
		return (await eye.detect(source))[0]?.rawValue ?? '';
	} catch {
		return ''; // no picture yet
	}
}

function Camera({ eye, found, denied }: { eye: Detector; found: (text: string) => void; denied: () => void }) {
	const video = useRef<HTMLVideoElement>(null);
	useEffect(() => {
		let stream: MediaStream | null = null;
		let timer = 0;
		let here = true;
		const begin = async () => {
			stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } });
			if (!here || video.current === null)
				return stream.getTracks().forEach((track) => track.stop());
			video.current.srcObject = stream;
			await video.current.play();
			timer = window.setInterval(async () => {
				const text = video.current === null ? '' : await look(eye, video.current);
				if (text !== '' && here)
					found(text);
			}, EVERY);
		};
		begin().catch(denied);
		return () => {
			here = false;
			clearInterval(timer);
			stream?.getTracks().forEach((track) => track.stop());
		};
	}, []);
	return <video ref={video} class="camera" muted playsInline aria-label={t('safety.video')} />;
}

export function Scan({ found, other }: { found: (text: string) => void; other: () => void }) {
	const eye = useRef(detector());
	const [problem, setProblem] = useState(eye.current === null ? t('safety.scan.none') : '');
	const fromFile = async (file: File | undefined) => {
		if (file === undefined || eye.current === null)
			return;
		const text = await look(eye.current, await createImageBitmap(file));
		if (text !== '')
			found(text);
		else
			setProblem(t('safety.scan.nothing'));
	};
	return (
		<div class="scan">
			{problem === '' ? <p class="muted">{t('safety.scan.hint')}</p> : <p class="note bad" role="alert">{problem}</p>}
			{eye.current !== null && problem === '' && (
				<Camera eye={eye.current} found={found} denied={() => setProblem(t('safety.scan.denied'))} />
			)}
			<div class="buttons">
				{eye.current !== null && (
					<label class="plain button">
						<Icon name="file" />{t('safety.file')}
						<input type="file" accept="image/*" class="unseen"
							onChange={(event) => void fromFile(event.currentTarget.files?.[0])} />
					</label>
				)}
				<button type="button" class="plain" onClick={other}><Icon name="edit" />{t('safety.type')}</button>
			</div>
		</div>
	);
}
