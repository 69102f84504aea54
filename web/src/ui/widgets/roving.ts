// roving.ts - lists where the arrow keys move the focus and Tab leaves (WAI-ARIA: roving tabindex).

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity };

// Moves the focus among the elements that match, inside of the list that hears the key.
export function rove(event: KeyboardEvent, list: HTMLElement, matching: string): void {
	const step = STEPS[event.key];
	if (step === undefined)
		return;
	const items = [...list.querySelectorAll<HTMLElement>(matching)];
	const at = items.findIndex((item) => item.contains(document.activeElement));
	const to = Math.max(0, Math.min(items.length - 1, at + step));
	event.preventDefault();
	items.forEach((item, i) => {
		item.tabIndex = i === to ? 0 : -1;
	});
	items[to]?.focus();
}
