// keeper.ts - keeps the account's secret over a reload, as the kernel's keyring does for the CLI.
//
// It lies in the store under a key that this origin can use and nobody can read (WebCrypto, not
// extractable), and not longer than the person wants: locking throws it away.
import { type Bytes, ownBytes } from './bytes.js';
import type { Platform } from './platform.js';
import type { Store } from './store.js';
import { Turns } from './turns.js';

const AES = { name: 'AES-GCM', length: 256 };

export class Keeper {
	// One after the other: what is prolonged while it is forgotten must not come back.
	private readonly turns = new Turns();

	constructor(
		private readonly store: Store,
		private readonly platform: Platform,
	) {}

	private nowSeconds(): number {
		return Math.floor(this.platform.now() / 1000);
	}

	// For so long from now on.
	keep(secret: Uint8Array, seconds: number): Promise<void> {
		const plain = ownBytes(secret);
		return this.turns.take(() => this.seal(plain, seconds));
	}

	// Wipes plain.
	private async seal(plain: Bytes, seconds: number): Promise<void> {
		const key = await crypto.subtle.generateKey(AES, false, ['encrypt', 'decrypt']);
		const iv = crypto.getRandomValues(new Uint8Array(12));
		try {
			const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain);
			const until = this.nowSeconds() + seconds;
			await this.store.keep({ key, iv, sealed: new Uint8Array(sealed), until });
		} finally {
			plain.fill(0);
		}
	}

	// Someone is there: so long from now on.
	prolong(seconds: number): Promise<void> {
		return this.turns.take(async () => {
			const kept = await this.store.kept();
			if (kept !== null) await this.store.keep({ ...kept, until: this.nowSeconds() + seconds });
		});
	}

	// The caller wipes it. null: none, or its time is over.
	async secret(): Promise<Uint8Array | null> {
		const kept = await this.store.kept();
		if (kept === null) return null;
		if (kept.until <= this.nowSeconds()) {
			await this.forget();
			return null;
		}
		try {
			const parameters = { name: 'AES-GCM', iv: kept.iv };
			return new Uint8Array(await crypto.subtle.decrypt(parameters, kept.key, kept.sealed));
		} catch {
			await this.forget(); // of another browser's store: the password opens it
			return null;
		}
	}

	forget(): Promise<void> {
		return this.turns.take(() => this.store.keep(null));
	}
}
