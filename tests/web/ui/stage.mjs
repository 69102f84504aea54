// stage.mjs - the page over the fake, in Chromium: built, served on loopback under the server's
// policy, opened at a size and in a theme.
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = dirname(fileURLToPath(import.meta.url));
const WEB = join(HERE, '../../../web');
const need = createRequire(join(WEB, 'package.json'));
export const CHROMIUM = '/usr/bin/chromium';
const WAIT_MS = 30_000;
const tools = {};

// False where the npm packages are not there.
export async function loadTools() {
	try {
		tools.build = need('esbuild').build;
		tools.chromium = need('playwright-core').chromium;
		tools.encode = (await import(pathToFileURL(join(WEB, 'node_modules/uqr/dist/index.mjs')))).encode;
		tools.axe = readFileSync(need.resolve('axe-core/axe.min.js'), 'utf8');
		return true;
	} catch (e) {
		if (e.code !== 'MODULE_NOT_FOUND')
			throw e;
		return false;
	}
}

const POLICY = [
	"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' blob: data:",
	"connect-src 'self'", "media-src 'self' blob:", "require-trusted-types-for 'script'", 'trusted-types tacit',
].join('; ');
const PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>tacit</title>
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content">
<link rel="stylesheet" href="/app.css"><script type="module" src="/app.js"></script></head>
<body><div id="app"></div></body></html>`;

export async function bundle() {
	const done = await tools.build({
		entryPoints: { app: join(HERE, 'fake_main.ts'), codes: join(WEB, 'src/scan/codes.ts') },
		absWorkingDir: WEB, outdir: 'out', bundle: true, write: false,
		format: 'esm', target: 'es2022', charset: 'utf8', jsx: 'automatic', jsxImportSource: 'preact',
		nodePaths: [join(WEB, 'node_modules')], logLevel: 'warning',
		define: {
			'process.env.NODE_ENV': '"production"', TACIT_CODES: '"/codes.js"', TACIT_WORKER: '""', TACIT_WASM: '""',
			TACIT_WASM_INTEGRITY: '""',
		},
	});
	const part = (end) => done.outputFiles.find((file) => file.path.endsWith(end)).contents;
	return {
		'/app.js': ['text/javascript', part('app.js')], '/app.css': ['text/css', part('.css')],
		'/codes.js': ['text/javascript', part('codes.js')],
	};
}

async function serve() {
	const files = { '/': ['text/html', PAGE], ...(await bundle()) };
	const server = createServer((request, answer) => {
		const found = files[new URL(request.url, 'http://stage').pathname];
		if (request.url === '/favicon.ico')
			return answer.writeHead(204).end();
		answer.writeHead(found === undefined ? 404 : 200, {
			'Content-Type': `${found?.[0] ?? 'text/plain'}; charset=utf-8`, 'Content-Security-Policy': POLICY,
		});
		answer.end(found?.[1] ?? '');
	});
	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	return server;
}

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };

export class Stage {
	static async open() {
		await loadTools();
		const stage = new Stage();
		stage.server = await serve();
		stage.address = `http://127.0.0.1:${stage.server.address().port}/`;
		stage.browser = await tools.chromium.launch({
			executablePath: CHROMIUM,
			args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
				'--disable-background-networking', '--disable-component-update', '--disable-sync',
				'--use-fake-device-for-media-stream=device-count=2'],
		});
		return stage;
	}

	// begin: as in fake_main.ts. The page's complaints are in page.complaints.
	async page({ begin = 'in', size = DESKTOP, theme = 'light', locale = 'en', many = 400, motion = 'reduce', rtl = false, permissions = [] } = {}) {
		const context = await this.browser.newContext({
			viewport: size, colorScheme: theme, locale, reducedMotion: motion, hasTouch: size === PHONE,
			isMobile: size === PHONE, deviceScaleFactor: size === PHONE ? 2 : 1, acceptDownloads: true, permissions,
		});
		await context.addInitScript(() => {
			delete globalThis.showSaveFilePicker; // it asks a person
		});
		if (rtl) // as in a language that is written so, whichever is chosen
			await context.addInitScript(() => {
				const turn = () => {
					if (document.documentElement.dir !== 'rtl')
						document.documentElement.dir = 'rtl';
				};
				new MutationObserver(turn).observe(document, { attributes: true, childList: true, subtree: true });
			});
		const page = await context.newPage();
		page.setDefaultTimeout(WAIT_MS);
		page.complaints = [];
		page.on('console', (message) => message.type() === 'error' && page.complaints.push(message.text()));
		page.on('pageerror', (error) => page.complaints.push(String(error.stack ?? error)));
		await page.goto(`${this.address}?begin=${begin}&many=${many}`);
		await page.waitForSelector('#app > *:not(.opening)');
		return page;
	}

	async close() {
		await this.browser.close();
		this.server.close();
	}
}

// A QR code as a picture in a file.
export async function codePicture(page, text) {
	const { data, size } = tools.encode(text, { ecc: 'M', border: 3 });
	const url = await page.evaluate(([rows, side]) => {
		const canvas = Object.assign(document.createElement('canvas'), { width: side * 6, height: side * 6 });
		const pen = canvas.getContext('2d');
		rows.forEach((row, y) => row.forEach((dark, x) => {
			pen.fillStyle = dark ? '#000' : '#fff';
			pen.fillRect(x * 6, y * 6, 6, 6);
		}));
		return canvas.toDataURL();
	}, [data, size]);
	return { name: 'code.png', mimeType: 'image/png', buffer: Buffer.from(url.split(',')[1], 'base64') };
}

// What axe finds that is serious. The page's policy forbids scripts of others: axe comes by the debugger.
export async function serious(page) {
	await page.evaluate(`${tools.axe};0`);
	const result = await page.evaluate(() => globalThis.axe.run(document, {
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	}));
	return result.violations
		.filter((one) => one.impact === 'serious' || one.impact === 'critical')
		.map((one) => `${one.impact} ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? node.all[0]?.message ?? ''}`).join(' | ')}`);
}
