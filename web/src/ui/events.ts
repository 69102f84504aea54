// events.ts - what happened in a conversation, as a sentence in the person's language.
import type { Notice } from '../messenger.js';
import { errorText, t } from '../i18n/index.js';
import { revoked } from './store.js';
import { isBeforeThisDevice, isNoDevice, isRemoval } from './timeline.js';
import { span } from './times.js';

function expiry(n: Notice): string {
	if (n.count === 0)
		return n.username === '' ? t('event.expiry.off') : t('event.expiry.off.by', { name: n.username });
	const time = span(n.count);
	return n.username === '' ? t('event.expiry', { time }) : t('event.expiry.by', { name: n.username, time });
}

export function describeEvent(n: Notice): string {
	switch (n.kind) {
	case 'missing':
		return t('event.missing', { n: n.count, name: n.username });
	case 'refused':
		return n.flag
			? t('event.refused.own', { why: errorText(n.error, n.text) })
			: t('event.refused', { name: n.username, why: errorText(n.error, n.text) });
	case 'member':
		return n.flag ? t('event.joined', { name: n.username }) : t('event.left', { name: n.username });
	case 'expiry':
		return expiry(n);
	case 'key_changed':
		return t('event.key', { name: n.username });
	case 'warning':
		if (isBeforeThisDevice(n))
			return t('event.before');
		if (isNoDevice(n))
			return revoked.value ? t('event.revoked') : errorText(n.error);
		return isRemoval(n) ? t('talk.left') : t('event.warning');
	default:
		return n.text;
	}
}
