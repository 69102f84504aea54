// fake_main.ts - the page over the fake, for the browser: ?begin=new|locked|ended|in&many=N.
// What a test makes happen goes through globalThis.fake.
import '../../../web/src/style/index.css';
import { start } from '../../../web/src/ui/start.js';
import { FakeMessenger, type Options } from './fake_messenger.js';

const BEGINNINGS: readonly Options['begin'][] = ['new', 'locked', 'ended', 'in'];

// A landscape, drawn here so that no picture lies in the tree.
async function landscape(): Promise<Uint8Array> {
	const canvas = new OffscreenCanvas(960, 640);
	const pen = canvas.getContext('2d')!;
	const sky = pen.createLinearGradient(0, 0, 0, 640);
	['#2b3a67', '#e59866', '#f7dc9f'].forEach((colour, i) => sky.addColorStop(i / 2.2, colour));
	pen.fillStyle = sky;
	pen.fillRect(0, 0, 960, 640);
	['#7d6b91', '#54527a', '#2f3558', '#171c33'].forEach((colour, layer) => {
		pen.fillStyle = colour;
		pen.beginPath();
		pen.moveTo(0, 640);
		for (let x = 0; x <= 960; x += 8)
			pen.lineTo(x, 300 + layer * 80 + Math.sin(x / (70 + layer * 31) + layer * 2) * (70 - layer * 12) + Math.sin(x / 23) * 8);
		pen.lineTo(960, 640);
		pen.fill();
	});
	return new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
}

const wishes = new URLSearchParams(location.search);
const begin = BEGINNINGS.find((one) => one === wishes.get('begin')) ?? 'in';
const fake = new FakeMessenger({ begin, many: Number(wishes.get('many') ?? 10_000), picture: await landscape() });
Object.assign(globalThis, { fake });
start(fake, document.getElementById('app')!);
fake.tell({ kind: 'presence', username: 'anna', flag: true, text: 'online' });
fake.tell({ kind: 'presence', username: 'ben', flag: true, text: 'away' });
