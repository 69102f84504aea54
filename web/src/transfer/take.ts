// take.ts - the receiving end. Nothing is written before the person has agreed; what is written is
// there under its name once all of it has come and is what the sender read.
import type { Bytes } from '../core/bytes.js';
import { joined } from '../core/bytes.js';
import type { Core } from '../core/module.js';
import { ProblemError } from '../core/problem.js';
import type { Offer, ParcelEvent } from './parcel.js';
import { Run, type Told } from './run.js';
import type { Sink } from './sink.js';

const TELL_MS = 10_000; // for the sender to hear that all has come

export interface Taking extends Told {
	// Where it shall go; null: the person does not want it. Not asked for a text.
	offered(offer: Offer): Promise<Sink | null>;
	text(text: string): void;
}

export class Taker extends Run {
	private offer: Offer | null = null; // accepted
	private sink: Sink | null = null;
	private words: Bytes[] = [];
	private written = 0;
	private allThere = false;

	constructor(
		core: Core,
		private readonly ui: Taking,
		signal: AbortSignal,
	) {
		super(core, 'receiver', ui, signal);
	}

	private async onOffer(offer: Offer): Promise<void> {
		if (this.offer === null && offer.kind !== 'text') {
			this.sink = await this.ui.offered(offer);
			if (this.sink === null) {
				await this.put(this.parcel.do('decline'));
				throw new ProblemError('DECLINED');
			}
		}
		this.offer = offer;
		await this.put(this.parcel.do('answer'));
		this.ui.progress(this.written, offer.total);
	}

	private async onData(bytes: Bytes): Promise<void> {
		if (this.sink === null) this.words.push(bytes);
		else await this.sink.write(bytes);
		this.written += bytes.length;
		this.ui.progress(this.written, this.offer?.total ?? 0);
	}

	private async onEnd(): Promise<void> {
		if (!this.allThere) {
			if (this.sink === null) this.ui.text(new TextDecoder().decode(joined(this.words)));
			else await this.sink.close();
		}
		this.allThere = true;
		await this.put(this.parcel.do('receipt'));
		setTimeout(() => this.line?.close(), TELL_MS);
	}

	protected async react(event: ParcelEvent): Promise<boolean> {
		switch (event.kind) {
			case 'offered':
				await this.onOffer(event.offer);
				return false;
			case 'started': // what is written stays written
				if (event.offset !== this.written) throw new ProblemError('CONFLICT');
				return false;
			case 'data':
				await this.onData(event.bytes);
				return false;
			case 'ended':
				await this.onEnd();
				return false;
			case 'done':
				return true;
			default:
				return false;
		}
	}

	protected mayLeave(): boolean {
		return this.allThere;
	}

	override async run(): Promise<void> {
		try {
			await super.run();
		} catch (e) {
			if (this.allThere) return;
			await this.sink?.abort();
			throw e;
		}
	}
}
