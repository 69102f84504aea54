// index.ts - texts in the person's language: t('key', {slots}). A key that a language lacks, or a slot
// that a call forgets, does not compile.
import { computed, signal } from '@preact/signals';
import { en } from './en.js';
import { de } from './de.js';

export type Key = keyof typeof en;
type Form = string | { readonly one: string; readonly other: string };
export type Catalogue = { readonly [K in Key]: (typeof en)[K] extends string ? string : Exclude<Form, string> };

type Model<K extends Key> = (typeof en)[K] extends { readonly other: infer S } ? S : (typeof en)[K];
type Slot<S> = S extends `${string}{${infer Name}}${infer Rest}` ? Name | Slot<Rest> : never;
type Slots<K extends Key> = { readonly [Name in Slot<Model<K>>]: Name extends 'n' ? number : string | number };
type Arguments<K extends Key> = [Slot<Model<K>>] extends [never] ? [] : [slots: Slots<K>];

export type Language = 'en' | 'de';
interface Tongue {
	name: string; // in itself
	direction: 'ltr' | 'rtl';
	catalogue: Catalogue;
}
export const tongues: Readonly<Record<Language, Tongue>> = {
	en: { name: 'English', direction: 'ltr', catalogue: en },
	de: { name: 'Deutsch', direction: 'ltr', catalogue: de },
};

export const language = signal<Language>('en');

export function isLanguage(text: string): text is Language {
	return Object.hasOwn(tongues, text);
}

// The first of the wished languages ('de-AT', 'fr') that there is.
export function chooseLanguage(wished: readonly string[]): Language {
	for (const tag of wished) {
		const primary = tag.toLowerCase().split('-')[0] ?? '';
		if (isLanguage(primary))
			return primary;
	}
	return 'en';
}

const rules = computed(() => new Intl.PluralRules(language.value));
const numbers = computed(() => new Intl.NumberFormat(language.value));

export function fill(text: string, slots: Readonly<Record<string, string | number>>): string {
	return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
		const value = slots[name];
		if (value === undefined)
			return whole;
		return typeof value === 'number' ? numbers.value.format(value) : value;
	});
}

export function t<K extends Key>(key: K, ...[slots]: Arguments<K>): string {
	const form: Form = tongues[language.value].catalogue[key];
	const given: Readonly<Record<string, string | number>> = slots ?? {};
	if (typeof form === 'string')
		return slots === undefined ? form : fill(form, given);
	const few = rules.value.select(Number(given['n'])) === 'one';
	return fill(few ? form.one : form.other, given);
}

// A name of an error as a sentence.
export function errorText(code: string, fallback = ''): string {
	const key = `error.${code}`;
	if (Object.hasOwn(en, key))
		return t(key as 'error.other');
	return fallback !== '' ? fallback : t('error.other');
}
