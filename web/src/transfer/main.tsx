// main.tsx - the pages /s (send) and /r (receive): no account, no worker.
import './transfer.css';
import { render } from 'preact';
import { wasmAddress, wasmIntegrity } from '../addresses.js';
import { Core } from '../core/module.js';
import { chooseLanguage, language, tongues } from '../i18n/index.js';
import { Failure, Frame } from '../ui/screens/frame.js';
import { takeBackBegun } from './begun.js';
import { GiveScreen } from './give_screen.js';
import { tidy } from './downloads.js';
import { TakeScreen } from './take_screen.js';
import { text } from './texts.js';

// The code stands behind the '#', which no server sees, and does not stay in the address.
function codeFromAddress(): string {
	let code = '';
	try {
		code = decodeURIComponent(location.hash.slice(1));
	} catch {
		return ''; // what cannot be read is no code
	} finally {
		history.replaceState(null, '', location.pathname);
	}
	return code;
}

// The code is still in the address: loading again begins where this did.
function Unloaded({ title }: { title: string }) {
	return (
		<Frame title={title}>
			<Failure text={text('unloaded')} />
			<button type="button" class="primary wide" onClick={() => location.reload()}>{text('unloaded.again')}</button>
		</Frame>
	);
}

async function begin(root: HTMLElement): Promise<void> {
	language.value = chooseLanguage(navigator.languages);
	document.documentElement.lang = language.value;
	document.documentElement.dir = tongues[language.value].direction;
	for (const kind of ['dragover', 'drop']) addEventListener(kind, (event) => event.preventDefault());
	const gives = location.pathname === '/s';
	const title = text(gives ? 'give.title' : 'take.title');
	document.title = `tacit: ${title}`;
	const wasm = await WebAssembly.compileStreaming(fetch(wasmAddress, { integrity: wasmIntegrity })).catch(() => null);
	if (wasm === null) return render(<Unloaded title={title} />, root);
	const code = codeFromAddress();
	const core = (): Core => new Core(wasm);
	render(gives ? <GiveScreen core={core} /> : <TakeScreen core={core} first={code} />, root);
	takeBackBegun().catch(() => undefined); // a browser that keeps nothing has noted nothing
	await tidy().catch(() => undefined); // a browser without private files has nothing to tidy
}

const root = document.getElementById('app');
if (root !== null) void begin(root);
