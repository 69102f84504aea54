// shots.mjs - pictures of every screen, phone and desktop, light and dark, to be looked at.
//
//   node tests/web/ui/shots.mjs FOLDER [--rtl] [SCREEN...]
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { SCREENS } from './screens.mjs';
import { DESKTOP, PHONE, serious, Stage } from './stage.mjs';

const [folder, ...rest] = process.argv.slice(2);
const rtl = rest.includes('--rtl');
const wanted = rest.filter((word) => word !== '--rtl');
mkdirSync(folder, { recursive: true });
const stage = await Stage.open();
for (const [name, { begin, go, permissions }] of Object.entries(SCREENS)) {
	if (wanted.length > 0 && !wanted.includes(name))
		continue;
	for (const [place, size] of [['phone', PHONE], ['desktop', DESKTOP]])
		for (const theme of ['light', 'dark']) {
			const locale = theme === 'dark' && place === 'desktop' ? 'de' : 'en';
			const page = await stage.page({ begin, size, theme, locale, rtl, permissions });
			page.setDefaultTimeout(8000);
			try {
				await go(page);
			} catch (why) {
				console.log(`${name} ${place} ${theme}: ${String(why).split('\n').slice(0, 3).join(' ')}`);
			}
			await page.screenshot({ path: join(folder, `${name}-${place}-${theme}.png`) });
			for (const finding of await serious(page))
				console.log(`${name} ${place} ${theme}: ${finding}`);
			for (const complaint of page.complaints)
				console.log(`${name} ${place} ${theme}: ${complaint}`);
			await page.context().close();
		}
}
await stage.close();
