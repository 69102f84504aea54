// idle.ts - locks when nobody was there for as long as the person wants; until then the secret is kept
// over reloads (keeper.ts).
import type { Keeper } from './keeper.js';
import type { Platform } from './platform.js';

const PROLONG_MS = 30_000; // the store is not written for every key that is pressed
const SLACK_SECONDS = 60; // a reload must not come too late for what was kept
const UNUSED_SECONDS = 7 * 86_400; // when the person wants no lock: a browser that is not used any more

export class Idle {
	private seconds = 0; // 0: no lock while the window is open
	private prolongedAt = -Infinity;
	private seenAt = 0; // by the clock on the wall
	private callOff: () => void = () => undefined;

	constructor(
		private readonly platform: Platform,
		private readonly keeper: Keeper,
		private readonly lock: () => Promise<void>,
	) {}

	// The setting as it stands.
	setMinutes(text: string): void {
		const minutes = Number(text);
		this.seconds = Number.isFinite(minutes) && minutes > 0 ? Math.round(minutes * 60) : 0;
		this.beginAnew();
	}

	private keptSeconds(): number {
		return this.seconds === 0 ? UNUSED_SECONDS : this.seconds + SLACK_SECONDS;
	}

	private lockNow(): void {
		this.callOff();
		this.lock().catch(() => undefined);
	}

	private beginAnew(): void {
		this.callOff();
		this.seenAt = this.platform.now();
		if (this.seconds === 0) return;
		this.callOff = this.platform.after(this.seconds * 1000, () => this.lockNow());
	}

	async keep(secret: Uint8Array): Promise<void> {
		if (secret.length > 0) await this.keeper.keep(secret, this.keptSeconds());
	}

	// The setting is another one.
	async prolong(): Promise<void> {
		await this.keeper.prolong(this.keptSeconds());
	}

	// Someone is there. While the machine slept no timer ran, and it may be somebody else who woke it.
	activity(): void {
		if (this.seconds > 0 && this.platform.now() - this.seenAt >= this.seconds * 1000) return this.lockNow();
		this.beginAnew();
		const now = this.platform.monotonic();
		if (now - this.prolongedAt < PROLONG_MS) return;
		this.prolongedAt = now;
		this.prolong().catch(() => undefined);
	}

	stop(): void {
		this.callOff();
		this.seconds = 0;
	}
}
