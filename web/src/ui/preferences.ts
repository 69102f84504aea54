// preferences.ts - what the person chose. Language and theme must be known before anything is
// unlocked and are no secret: they are kept in the clear; the rest is sealed with the profile.
import { effect, signal } from '@preact/signals';
import { chooseLanguage, isLanguage, language, tongues, type Language } from '../i18n/index.js';
import { messenger } from './store.js';

export type Theme = 'system' | 'light' | 'dark';
export type Notify = 'off' | 'name' | 'text';

export const theme = signal<Theme>('system');
export const lockAfter = signal(0); // minutes; 0: never. The worker reads it, and locks
export const notify = signal<Notify>('off');

const THEMES: readonly string[] = ['system', 'light', 'dark'];
const NOTIFY: readonly string[] = ['off', 'name', 'text'];

function readOpenly(name: string): string {
	try {
		return localStorage.getItem(`tacit.${name}`) ?? '';
	} catch {
		return ''; // a browser that keeps nothing
	}
}

function writeOpenly(name: string, value: string): void {
	try {
		localStorage.setItem(`tacit.${name}`, value);
	} catch {
		return; // chosen until the page is closed
	}
}

// Whether the person has logged out, which is not to be seen from a profile that is locked.
export function isLoggedOut(): boolean {
	return readOpenly('out') !== '';
}

export function noteLoggedOut(yes: boolean): void {
	writeOpenly('out', yes ? '1' : '');
}

export function applyOpenPreferences(): void {
	const tongue = readOpenly('language');
	language.value = isLanguage(tongue) ? tongue : chooseLanguage(navigator.languages);
	const colours = readOpenly('theme');
	if (THEMES.includes(colours))
		theme.value = colours as Theme;
	effect(() => {
		document.documentElement.lang = language.value;
		document.documentElement.dir = tongues[language.value].direction;
	});
	effect(() => {
		document.documentElement.dataset['theme'] = theme.value;
	});
}

export function setLanguage(chosen: Language): void {
	language.value = chosen;
	writeOpenly('language', chosen);
}

export function setTheme(chosen: Theme): void {
	theme.value = chosen;
	writeOpenly('theme', chosen);
}

export async function readSealedPreferences(): Promise<void> {
	const minutes = Number(await messenger().setting('lock_after'));
	lockAfter.value = Number.isFinite(minutes) ? minutes : 0;
	const how = await messenger().setting('notify');
	notify.value = NOTIFY.includes(how) ? (how as Notify) : 'off';
}

export async function setLockAfter(minutes: number): Promise<void> {
	lockAfter.value = minutes;
	await messenger().setSetting('lock_after', String(minutes));
}

// False when the browser does not allow it.
export async function setNotify(how: Notify): Promise<boolean> {
	const allowed = how === 'off' || (await permission()) === 'granted';
	notify.value = allowed ? how : 'off';
	await messenger().setSetting('notify', notify.value);
	return allowed;
}

async function permission(): Promise<NotificationPermission> {
	if (!('Notification' in globalThis))
		return 'denied';
	return Notification.permission === 'default' ? Notification.requestPermission() : Notification.permission;
}

// --- what devices are called on this browser --------------------------------------------------------

const DEVICE_NAMES = 'device_names';

export async function readDeviceNames(): Promise<Readonly<Record<string, string>>> {
	const text = await messenger().setting(DEVICE_NAMES);
	const kept: unknown = text === '' ? {} : JSON.parse(text);
	if (typeof kept !== 'object' || kept === null)
		return {};
	return Object.fromEntries(Object.entries(kept).filter((one): one is [string, string] => typeof one[1] === 'string'));
}

export async function nameDevice(id: string, name: string): Promise<void> {
	const { [id]: _, ...others } = await readDeviceNames();
	const names = name === '' ? others : { ...others, [id]: name };
	await messenger().setSetting(DEVICE_NAMES, JSON.stringify(names));
}
