// camera.tsx - the camera's picture, looked at again and again for a QR code. The camera goes off with it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import type { Codes } from '../codes.js';
import { Icon } from './icons.js';

export type CameraProblem = 'denied' | 'missing' | 'busy' | 'unread';

const BETWEEN = 100; // milliseconds from one look to the next

// Not in TypeScript's library: https://w3c.github.io/mediacapture-image/#torch
interface Lamp {
	torch?: boolean;
}

interface Shot {
	track: MediaStreamTrack;
	lamp: boolean;
	mirrored: boolean; // it looks at the person, who aims as before a mirror
	next: string; // id of the next camera; '': this is the only one
}

function openCamera(id: string): Promise<MediaStream> {
	const which = id === '' ? { facingMode: 'environment' } : { deviceId: { exact: id } };
	return navigator.mediaDevices.getUserMedia({ video: { ...which, width: { ideal: 1280 }, height: { ideal: 720 } } });
}

async function describe(track: MediaStreamTrack): Promise<Shot> {
	const { deviceId = '', facingMode } = track.getSettings();
	const able = track.getCapabilities?.() as Lamp | undefined;
	const devices = await navigator.mediaDevices.enumerateDevices();
	const ids = devices.filter(({ kind }) => kind === 'videoinput').map((camera) => camera.deviceId);
	const next = ids[(ids.indexOf(deviceId) + 1) % ids.length] ?? '';
	return { track, lamp: able?.torch === true, mirrored: facingMode !== 'environment', next: next === deviceId ? '' : next };
}

function problemOf(thrown: unknown): CameraProblem {
	const name = thrown instanceof DOMException ? thrown.name : '';
	if (name === 'NotAllowedError')
		return 'denied';
	return name === 'NotReadableError' || name === 'AbortError' ? 'busy' : 'missing';
}

interface Props {
	codes: Codes;
	seen: (text: string) => Promise<void>;
	failed: (why: CameraProblem) => void;
}

export function Camera({ codes, seen, failed }: Props) {
	const video = useRef<HTMLVideoElement>(null);
	const heed = useRef(seen);
	const [id, setId] = useState('');
	const [shot, setShot] = useState<Shot | null>(null);
	const [lit, setLit] = useState(false);
	heed.current = seen;
	useEffect(() => {
		let stream: MediaStream | null = null;
		let here = true;
		const stop = () => stream?.getTracks().forEach((track) => track.stop());
		const watch = async (element: HTMLVideoElement) => {
			while (here) {
				const text = await codes.video(element);
				if (text !== '' && here)
					await heed.current(text);
				await new Promise((later) => setTimeout(later, BETWEEN));
			}
		};
		const begin = async () => {
			stream = await openCamera(id);
			const [track] = stream.getVideoTracks();
			if (!here || video.current === null || track === undefined)
				return stop();
			track.onended = () => failed('busy'); // taken away: stop() does not tell
			video.current.srcObject = stream;
			await video.current.play();
			setShot(await describe(track));
			watch(video.current).catch(() => here && failed('unread'));
		};
		begin().catch((thrown: unknown) => here && failed(problemOf(thrown)));
		return () => {
			here = false;
			stop();
		};
	}, [id]);
	const light = () => {
		shot?.track.applyConstraints({ advanced: [{ torch: !lit } as MediaTrackConstraintSet] }).then(() => setLit(!lit)).catch(() => undefined);
	};
	const another = () => {
		setId(shot?.next ?? '');
		setShot(null);
		setLit(false);
	};
	return (
		<div class="camera">
			<video ref={video} class={shot?.mirrored === true ? 'mirrored' : ''} muted playsInline aria-label={t('scan.video')} />
			<div class="camera-tools">
				{shot?.lamp === true && (
					<button type="button" class="round" aria-pressed={lit} aria-label={t('scan.lamp')} title={t('scan.lamp')} onClick={light}>
						<Icon name="lamp" />
					</button>
				)}
				{shot !== null && shot.next !== '' && (
					<button type="button" class="round" aria-label={t('scan.another')} title={t('scan.another')} onClick={another}>
						<Icon name="turn" />
					</button>
				)}
			</div>
		</div>
	);
}
