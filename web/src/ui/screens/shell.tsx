// shell.tsx - the main screen: the list at one side, the open conversation beside it; on a phone
// one of the two.
import { t } from '../../i18n/index.js';
import { Sidebar } from '../list/sidebar.js';
import { Talk } from '../talk/talk.js';
import { Details } from '../talk/details.js';
import { detailsOpen, open, openId } from '../view.js';
import { Sign } from './frame.js';

function Nothing() {
	return (
		<div class="nothing">
			<Sign />
			<p class="nothing-title">{t('talk.none')}</p>
			<p class="muted">{t('talk.none.hint')}</p>
		</div>
	);
}

export function Shell() {
	const c = open.value;
	const where = c === undefined ? 'at-list' : 'at-talk';
	return (
		<main class={`shell ${where} ${detailsOpen.value ? 'with-details' : ''}`}>
			<h1 class="unseen">tacit</h1>
			<Sidebar />
			<div class="stage">{c === undefined ? <Nothing /> : <Talk key={openId.value} conversation={c} />}</div>
			{c !== undefined && detailsOpen.value && <Details conversation={c} />}
		</main>
	);
}
