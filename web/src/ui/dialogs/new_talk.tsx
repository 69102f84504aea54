// new_talk.tsx - a new conversation: with whom, and of which kind.
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Failure } from '../screens/frame.js';
import { beginDirect, beginGroup, beginSession } from '../talks.js';
import { span } from '../times.js';
import { Choice } from '../widgets/choice.js';
import { Dialog } from '../widgets/dialog.js';
import { Field } from '../widgets/field.js';
import { useTask } from '../widgets/task.js';
import { PeoplePicker } from './people_picker.js';

type Kind = 'direct' | 'group' | 'room' | 'session';
const KINDS: readonly Kind[] = ['direct', 'group', 'room', 'session'];
const TIMES = [300, 3600, 8 * 3600, 86400]; // seconds

export function NewTalk({ close }: { close: () => void }) {
	const [kind, setKind] = useState<Kind>('direct');
	const [people, setPeople] = useState<string[]>([]);
	const [name, setName] = useState('');
	const [seconds, setSeconds] = useState(3600);
	const task = useTask();
	const named = kind === 'group' || kind === 'room';
	const ready = (people.length > 0 || kind === 'room') && (!named || name.trim() !== '');
	const begin = () => task.run(async () => {
		if (named)
			await beginGroup(kind, name.trim(), people);
		else if (kind === 'session')
			await beginSession(people, seconds);
		else
			await beginDirect(people[0] ?? '');
		close();
	});
	return (
		<Dialog
			title={t('new.title')}
			close={close}
			footer={(
				<button type="button" class="primary wide" disabled={!ready} aria-busy={task.busy} onClick={begin}>
					{t('new.start')}
				</button>
			)}
		>
			<Choice label={t('new.kind')} value={kind} options={KINDS.map((value) => ({ value, text: t(`new.${value}`) }))}
				change={(value) => {
					setKind(value);
					if (value === 'direct')
						setPeople(people.slice(0, 1));
				}} />
			<p class={kind === 'room' ? 'note warn' : 'hint'}>{t(`new.${kind}.hint`)}</p>
			{named && <Field label={t('new.name')} value={name} change={setName} maxLength={200} />}
			{kind === 'session' && (
				<Choice label={t('new.time')} value={seconds} change={setSeconds}
					options={TIMES.map((value) => ({ value, text: span(value) }))} />
			)}
			<PeoplePicker chosen={people} change={setPeople} single={kind === 'direct'} without={[]} />
			<Failure text={task.error} />
		</Dialog>
	);
}
