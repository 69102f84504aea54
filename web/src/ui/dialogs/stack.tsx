// stack.tsx - the dialogs that are open, each above the one before.
import { closeDialog, dialogs, type Dialog } from '../view.js';
import { AddPeople } from './add_people.js';
import { Asked } from './asked.js';
import { Devices } from './devices.js';
import { Emoji } from './emoji.js';
import { Expiry } from './expiry.js';
import { NewTalk } from './new_talk.js';
import { Picture } from './picture.js';
import { Safety } from './safety.js';
import { Settings } from './settings.js';

function One({ dialog }: { dialog: Dialog }) {
	const close = () => closeDialog(dialog);
	switch (dialog.kind) {
	case 'new':
		return <NewTalk close={close} />;
	case 'add':
		return <AddPeople conversation={dialog.conversation} close={close} />;
	case 'safety':
		return <Safety username={dialog.username} close={close} />;
	case 'devices':
		return <Devices close={close} />;
	case 'settings':
		return <Settings close={close} />;
	case 'expiry':
		return <Expiry conversation={dialog.conversation} close={close} />;
	case 'emoji':
		return <Emoji choose={dialog.choose} close={close} />;
	case 'picture':
		return <Picture name={dialog.name} url={dialog.url} close={close} />;
	case 'question':
		return <Asked question={dialog.question} close={close} />;
	}
}

export function Dialogs() {
	return <>{dialogs.value.map((dialog, i) => <One key={i} dialog={dialog} />)}</>;
}
