// asked.tsx - a question before something that cannot be undone.
import { t } from '../../i18n/index.js';
import { Failure } from '../screens/frame.js';
import type { Question } from '../view.js';
import { Dialog } from '../widgets/dialog.js';
import { useTask } from '../widgets/task.js';

export function Asked({ question: q, close }: { question: Question; close: () => void }) {
	const task = useTask();
	const answer = () => task.run(async () => {
		await q.answer();
		close();
	});
	return (
		<Dialog
			title={q.title}
			close={close}
			kind="alert"
			footer={(
				<>
					<button type="button" class="plain" onClick={close}>{t('app.cancel')}</button>
					<button type="button" class={q.danger ? 'danger' : 'primary'} aria-busy={task.busy} onClick={answer}>{q.action}</button>
				</>
			)}
		>
			<p>{q.text}</p>
			<Failure text={task.error} />
		</Dialog>
	);
}
