// times.ts - times, sizes and spans in the person's language.
import { computed } from '@preact/signals';
import { language, t } from '../i18n/index.js';

const DAY = 86400;

const hours = computed(() => new Intl.DateTimeFormat(language.value, { hour: 'numeric', minute: '2-digit' }));
const weekdays = computed(() => new Intl.DateTimeFormat(language.value, { weekday: 'short' }));
const shortDates = computed(() => new Intl.DateTimeFormat(language.value, { day: 'numeric', month: 'short' }));
const yearDates = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: 'medium' }));
const longDates = computed(
	() => new Intl.DateTimeFormat(language.value, { weekday: 'long', day: 'numeric', month: 'long' }));
const longYears = computed(() => new Intl.DateTimeFormat(language.value, { dateStyle: 'full' }));
const both = computed(
	() => new Intl.DateTimeFormat(language.value, { dateStyle: 'medium', timeStyle: 'short' }));

export function now(): number {
	return Math.floor(Date.now() / 1000);
}

const at = (seconds: number) => new Date(seconds * 1000);

const QUARTER = 900; // seconds; every time zone is a number of quarters of an hour off
const MOST_QUARTERS = 20_000;
const days = new Map<number, number>(); // by quarter: asked for every line of a long list

// The local day as a number; days that follow each other differ by one.
export function dayOf(seconds: number): number {
	const quarter = Math.floor(seconds / QUARTER);
	const known = days.get(quarter);
	if (known !== undefined)
		return known;
	const d = at(seconds);
	const day = Math.round(Date.UTC(d.getFullYear(), d.getMonth(), d.getDate()) / (DAY * 1000));
	if (days.size >= MOST_QUARTERS)
		days.clear();
	days.set(quarter, day);
	return day;
}

// What was formatted once: a list in sight is drawn again with each message, and formatting is slow.
function kept(format: { readonly value: Intl.DateTimeFormat }): (seconds: number) => string {
	const texts = new Map<number, string>();
	let of: Intl.DateTimeFormat | null = null;
	return (seconds) => {
		if (of !== format.value || texts.size >= MOST_TEXTS)
			texts.clear();
		of = format.value;
		const text = texts.get(seconds) ?? of.format(at(seconds));
		texts.set(seconds, text);
		return text;
	};
}

const MOST_TEXTS = 1000;
export const clock = kept(hours);
export const moment = kept(both);

export function date(seconds: number): string {
	return yearDates.value.format(at(seconds));
}

// For the list: today the time, this week the day, else the date.
export function short(seconds: number, today: number): string {
	if (seconds === 0)
		return '';
	const days = dayOf(today) - dayOf(seconds);
	if (days <= 0)
		return clock(seconds);
	if (days === 1)
		return t('day.yesterday');
	if (days < 7)
		return weekdays.value.format(at(seconds));
	const sameYear = at(seconds).getFullYear() === at(today).getFullYear();
	return (sameYear ? shortDates : yearDates).value.format(at(seconds));
}

// For the line between days.
export function day(seconds: number, today: number): string {
	const days = dayOf(today) - dayOf(seconds);
	if (days === 0)
		return t('day.today');
	if (days === 1)
		return t('day.yesterday');
	const sameYear = at(seconds).getFullYear() === at(today).getFullYear();
	return (sameYear ? longDates : longYears).value.format(at(seconds));
}

// The largest unit that fits without a rest, for spans that people choose.
export function span(seconds: number): string {
	if (seconds % (7 * DAY) === 0)
		return t('unit.weeks', { n: seconds / (7 * DAY) });
	if (seconds % DAY === 0)
		return t('unit.days', { n: seconds / DAY });
	if (seconds % 3600 === 0)
		return t('unit.hours', { n: seconds / 3600 });
	if (seconds % 60 === 0)
		return t('unit.minutes', { n: seconds / 60 });
	return t('unit.seconds', { n: seconds });
}

const two = (n: number) => String(n).padStart(2, '0');

// What is left on a clock that runs down: '2 days', '3:05:09', '4:07'.
export function left(seconds: number): string {
	const s = Math.max(0, seconds);
	if (s >= 2 * DAY)
		return t('unit.days', { n: Math.floor(s / DAY) });
	const minutes = Math.floor(s / 60) % 60;
	if (s >= 3600)
		return `${Math.floor(s / 3600)}:${two(minutes)}:${two(s % 60)}`;
	return `${minutes}:${two(s % 60)}`;
}

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;

export function bytes(count: number): string {
	let unit = 0;
	let value = count;
	while (value >= 1000 && unit < UNITS.length - 1) {
		value /= 1000;
		unit++;
	}
	return new Intl.NumberFormat(language.value, {
		style: 'unit',
		unit: UNITS[unit] ?? 'byte',
		unitDisplay: unit === 0 ? 'long' : 'short',
		maximumFractionDigits: value < 10 && unit > 0 ? 1 : 0,
	}).format(value);
}
