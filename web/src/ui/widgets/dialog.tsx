// dialog.tsx - <dialog>: the browser keeps the focus inside, Escape closes, and the focus goes back
// to where it was.
import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Icon } from './icons.js';

interface Props {
	title: string;
	close: () => void;
	children: ComponentChildren;
	footer?: ComponentChildren;
	kind?: 'sheet' | 'alert' | 'bare';
}

export function Dialog({ title, close, children, footer, kind = 'sheet' }: Props) {
	const element = useRef<HTMLDialogElement>(null);
	const id = useId();
	useLayoutEffect(() => {
		const dialog = element.current;
		const before = document.activeElement;
		dialog?.showModal();
		return () => {
			dialog?.close();
			if (before instanceof HTMLElement && before.isConnected)
				before.focus();
		};
	}, []);
	return (
		<dialog
			ref={element}
			class={`dialog ${kind}`}
			aria-labelledby={id}
			role={kind === 'alert' ? 'alertdialog' : undefined}
			onCancel={(event) => {
				event.preventDefault();
				close();
			}}
			onClick={(event) => {
				if (event.target === element.current && kind !== 'alert')
					close();
			}}
		>
			<div class="dialog-box">
				<header class="dialog-head">
					<h2 id={id}>{title}</h2>
					{kind !== 'alert' && (
						<button type="button" class="round" aria-label={t('app.close')} onClick={close}>
							<Icon name="close" />
						</button>
					)}
				</header>
				<div class="dialog-body">{children}</div>
				{footer !== undefined && <footer class="dialog-foot">{footer}</footer>}
			</div>
		</dialog>
	);
}
