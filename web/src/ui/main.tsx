// main.tsx - the page over its worker.
import '../style/index.css';
import { connect } from '../core/connect.js';
import { t } from '../i18n/index.js';
import { startShell } from '../shell.js';
import { start } from './start.js';
import { askFirst } from './view.js';

const root = document.getElementById('app');
if (root !== null)
	start(connect(), root);

void startShell((apply) => askFirst({
	title: t('update.title'),
	text: t('update.text'),
	action: t('update.do'),
	danger: false,
	answer: apply,
}));
