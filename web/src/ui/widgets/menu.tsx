// menu.tsx - a menu at a place on the page: arrows move, Escape closes, the focus goes back.
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Icon, type IconName } from './icons.js';
import { rove } from './roving.js';

export interface MenuItem {
	text: string;
	icon: IconName;
	danger?: boolean;
	run: () => void;
}

interface OpenMenu {
	label: string;
	x: number;
	y: number;
	items: readonly MenuItem[];
	quick: readonly MenuItem['text'][]; // emoji in a row above
	choose: (emoji: string) => void;
	opener: Element | null; // has the focus again when the menu is gone
}

const menu = signal<OpenMenu | null>(null);

export function openMenu(at: { x: number; y: number }, label: string, items: readonly MenuItem[],
	quick: readonly string[] = [], choose: (emoji: string) => void = () => undefined): void {
	menu.value = { ...at, label, items, quick, choose, opener: document.activeElement };
}

// Below an element, at its end.
export function below(element: Element): { x: number; y: number } {
	const box = element.getBoundingClientRect();
	return { x: document.documentElement.dir === 'rtl' ? box.left : box.right, y: box.bottom + 4 };
}

const EDGE = 8; // pixels to the window's edge

function place(box: HTMLElement, at: OpenMenu): void {
	const { offsetWidth: width, offsetHeight: height } = box;
	const x = Math.max(EDGE, Math.min(at.x - width, innerWidth - width - EDGE));
	const y = Math.max(EDGE, Math.min(at.y, innerHeight - height - EDGE));
	box.style.left = `${x}px`;
	box.style.top = `${y}px`;
}

function Open({ at }: { at: OpenMenu }) {
	const box = useRef<HTMLDivElement>(null);
	// The focus goes back before anything that was chosen may take it.
	const close = () => {
		menu.value = null;
		if (at.opener instanceof HTMLElement && at.opener.isConnected)
			at.opener.focus();
	};
	useLayoutEffect(() => {
		if (box.current !== null)
			place(box.current, at);
	});
	useLayoutEffect(() => box.current?.querySelector<HTMLElement>('[role=menuitem]')?.focus(), []);
	const choose = (run: () => void) => {
		close();
		run();
	};
	const onKey = (event: KeyboardEvent) => {
		if (event.key === 'Escape' || event.key === 'Tab') {
			event.preventDefault();
			close();
		} else if (event.key === 'ArrowRight' || event.key === 'ArrowLeft') {
			const forward = (event.key === 'ArrowRight') === (document.documentElement.dir !== 'rtl');
			rove(new KeyboardEvent('keydown', { key: forward ? 'ArrowDown' : 'ArrowUp' }), box.current!, '[role=menuitem]');
		} else {
			rove(event, box.current!, '[role=menuitem]');
		}
	};
	return (
		<div class="menu-layer" onPointerDown={close} onContextMenu={(event) => event.preventDefault()}>
			<div class="menu" ref={box} role="menu" aria-label={at.label} onKeyDown={onKey}
				onPointerDown={(event) => event.stopPropagation()}>
				{at.quick.length > 0 && (
					<div class="menu-quick" role="group" aria-label={t('message.react')}>
						{at.quick.map((emoji) => (
							<button key={emoji} type="button" role="menuitem" tabIndex={-1} class="emoji"
								aria-label={t('message.react.with', { emoji })} onClick={() => choose(() => at.choose(emoji))}>
								{emoji}
							</button>
						))}
					</div>
				)}
				{at.items.map((item) => (
					<button key={item.text} type="button" role="menuitem" tabIndex={-1}
						class={item.danger === true ? 'danger' : ''} onClick={() => choose(item.run)}>
						<Icon name={item.icon} />
						<span>{item.text}</span>
					</button>
				))}
			</div>
		</div>
	);
}

export function Menu() {
	return menu.value === null ? null : <Open at={menu.value} />;
}
