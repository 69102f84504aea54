// attachment.tsx - a file in a message: its picture where that is small, its name, and how to save it.
import { useEffect, useState } from 'preact/hooks';
import type { FileRef } from '../../messenger.js';
import { t } from '../../i18n/index.js';
import { safeName } from '../text.js';
import { bytes } from '../times.js';
import { hasPreview, previewOf, save, transfers } from '../transfers.js';
import { openDialog } from '../view.js';
import { Icon } from '../widgets/icons.js';
import { ProgressLine } from './progress.js';

function Picture({ file, failed }: { file: FileRef; failed: () => void }) {
	const [url, setUrl] = useState('');
	const name = safeName(file.name);
	useEffect(() => {
		let here = true;
		previewOf(file).then((made) => here && setUrl(made)).catch(() => here && failed());
		return () => {
			here = false;
		};
	}, [file.token]);
	return (
		<button type="button" class="picture" tabIndex={-1} aria-label={t('file.open', { name })} disabled={url === ''}
			onClick={() => openDialog({ kind: 'picture', name, url })}>
			{url === '' ? <span class="picture-wait" /> : <img src={url} alt="" onError={failed} />}
		</button>
	);
}

export function Attachment({ conversation, file }: { conversation: number; file: FileRef }) {
	const [broken, setBroken] = useState(false);
	const name = safeName(file.name);
	const loading = transfers.value.find((one) => one.direction === 'down' && one.token === file.token);
	return (
		<div class="attachment">
			{hasPreview(file) && !broken && <Picture file={file} failed={() => setBroken(true)} />}
			<button type="button" class="file" tabIndex={-1} onClick={() => void save(conversation, file)}>
				<span class="file-sign"><Icon name={loading === undefined ? 'save' : 'file'} /></span>
				<span class="unseen">{t('file.save', { name })}</span>
				<span class="file-name" aria-hidden="true"><bdi>{name}</bdi><small>{bytes(file.size)}</small></span>
			</button>
			{loading !== undefined && <ProgressLine transfer={loading} />}
		</div>
	);
}
