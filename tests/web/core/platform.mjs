// Platforms for tests: a clock that stands until it is told to go on.

export class FakeClock {
	constructor() {
		this.ms = 1_700_000_000_000;
		this.timers = new Map();
		this.count = 0;
	}

	after(ms, then) {
		const id = ++this.count;
		this.timers.set(id, { at: this.ms + Math.max(0, ms), then });
		return () => this.timers.delete(id);
	}

	// Runs what becomes due, in order, with room for promises in between.
	async advance(ms) {
		const goal = this.ms + ms;
		for (;;) {
			await settle();
			const due = [...this.timers].filter(([, t]) => t.at <= goal).sort((a, b) => a[1].at - b[1].at)[0];
			if (due === undefined)
				break;
			this.timers.delete(due[0]);
			this.ms = Math.max(this.ms, due[1].at);
			due[1].then();
		}
		this.ms = goal;
		await settle();
	}
}

// Lets everything that waits for nothing but its turn come to its end.
export async function settle() {
	for (let i = 0; i < 20; i++)
		await new Promise((resolve) => setImmediate(resolve));
}

export class FakeSocket {
	constructor(url) {
		this.url = url;
		this.said = [];
		this.closed = false;
	}

	send(text) {
		this.said.push(text);
	}

	close() {
		this.closed = true;
	}

	open() {
		this.onopen?.({});
	}

	hear(text) {
		this.onmessage?.({ data: text });
	}

	drop(code = 1006) {
		this.onclose?.({ code });
	}

	// As far as events.
	greet() {
		this.open();
		this.hear('0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}');
		this.hear('40{"sid":"def"}');
	}
}

export function fakePlatform(fetch) {
	const clock = new FakeClock();
	const sockets = [];
	const platform = {
		origin: 'https://chat.example.org',
		clock,
		sockets,
		fetch: fetch ?? (() => Promise.reject(new TypeError('no network'))),
		openSocket(url) {
			const socket = new FakeSocket(url);
			sockets.push(socket);
			return socket;
		},
		now: () => clock.ms,
		monotonic: () => clock.ms,
		after: (ms, then) => clock.after(ms, then),
		onNetwork(hear) {
			platform.network = hear;
		},
	};
	return platform;
}
