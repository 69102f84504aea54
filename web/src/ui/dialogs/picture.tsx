// picture.tsx - one picture, as large as the window.
import { t } from '../../i18n/index.js';
import { Dialog } from '../widgets/dialog.js';

export function Picture({ name, url, close }: { name: string; url: string; close: () => void }) {
	return (
		<Dialog title={name} close={close} kind="bare">
			<img class="large-picture" src={url} alt={t('picture.title', { name })} />
		</Dialog>
	);
}
