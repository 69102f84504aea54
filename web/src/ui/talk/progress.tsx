// progress.tsx - how far a file is, how fast, and how to stop it.
import { t } from '../../i18n/index.js';
import { bytes } from '../times.js';
import type { Transfer } from '../transfers.js';
import { Icon } from '../widgets/icons.js';

export function ProgressLine({ transfer: one }: { transfer: Transfer }) {
	const name = one.name;
	if (one.failed !== '')
		return (
			<div class="progress failed">
				<span role="alert">{t('file.failed', { why: one.failed })}</span>
				<button type="button" class="small" onClick={one.again}>{t('file.again')}</button>
				<button type="button" class="round small" aria-label={t('file.cancel', { name })} onClick={one.cancel}>
					<Icon name="close" />
				</button>
			</div>
		);
	const far = { done: bytes(one.done), total: bytes(one.total) };
	const text = one.rate > 0 ? t('file.rate', { ...far, rate: bytes(Math.round(one.rate)) }) : t('file.done', far);
	const label = one.direction === 'up' ? t('file.sending', { name }) : t('file.loading', { name });
	return (
		<div class="progress">
			<progress value={one.done} max={Math.max(1, one.total)} aria-label={label} />
			<span class="muted">{text}</span>
			<button type="button" class="round small" aria-label={t('file.cancel', { name })} onClick={one.cancel}>
				<Icon name="close" />
			</button>
		</div>
	);
}
