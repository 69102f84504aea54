// keeper.ts - keeps the account's secret over a reload, as the kernel's keyring does for the CLI.
//
// It lies in the store under a key that this origin can use and nobody can read (WebCrypto, not
// extractable), and not longer than the person wants: locking throws it away.
import { ownBytes } from './bytes.js';
import type { Platform } from './platform.js';
import type { Store } from './store.js';

const AES = { name: 'AES-GCM', length: 256 };

export class Keeper {
	constructor(
		private readonly store: Store,
		private readonly platform: Platform,
	) {}

	private nowSeconds(): number {
		return Math.floor(this.platform.now() / 1000);
	}

	// For so long from now on.
	async keep(secret: Uint8Array, seconds: number): Promise<void> {
		const key = await crypto.subtle.generateKey(AES, false, ['encrypt', 'decrypt']);
		const iv = crypto.getRandomValues(new Uint8Array(12));
		const plain = ownBytes(secret);
		try {
			const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, plain);
			const until = this.nowSeconds() + seconds;
			await this.store.keep({ key, iv, sealed: new Uint8Array(sealed), until });
		} finally {
			plain.fill(0);
		}
	}

	// Someone is there: so long from now on.
	async prolong(seconds: number): Promise<void> {
		const kept = await this.store.kept();
		if (kept !== null) await this.store.keep({ ...kept, until: this.nowSeconds() + seconds });
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

	async forget(): Promise<void> {
		await this.store.keep(null);
	}
}
