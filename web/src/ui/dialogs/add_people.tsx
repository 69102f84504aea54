// add_people.tsx - more people for a conversation.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Failure } from '../screens/frame.js';
import { world } from '../store.js';
import { addPeople } from '../talks.js';
import { Dialog } from '../widgets/dialog.js';
import { useTask } from '../widgets/task.js';
import { PeoplePicker } from './people_picker.js';

export function AddPeople({ conversation, close }: { conversation: number; close: () => void }) {
	const [people, setPeople] = useState<string[]>([]);
	const task = useTask();
	const add = () => task.run(async () => {
		await addPeople(conversation, people);
		close();
	});
	return (
		<Dialog
			title={t('details.add')}
			close={close}
			footer={(
				<button type="button" class="primary wide" disabled={people.length === 0} aria-busy={task.busy} onClick={add}>
					{t('details.add')}
				</button>
			)}
		>
			<PeoplePicker chosen={people} change={setPeople} single={false}
				without={world.value.conversations.get(conversation)?.members ?? []} />
			<Failure text={task.error} />
		</Dialog>
	);
}
