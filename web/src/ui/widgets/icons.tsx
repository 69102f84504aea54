// icons.tsx - the signs of the interface: strokes on a grid of 24, in the colour of the text.

const PATHS = {
	add: 'M12 5v14M5 12h14',
	back: 'M15 5l-7 7 7 7',
	check: 'M4.5 12.5l5 5 10-11',
	checks: 'M2.5 12.5l4.5 5 9-11M11.5 16l1.5 1.5 9-11',
	clip: 'M20 11.5l-8 8a5 5 0 0 1-7-7l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8L10 17a1.7 1.7 0 0 1-2.4-2.4l7.4-7.4',
	clock: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17M12 7.5V12l3 2',
	close: 'M6 6l12 12M18 6L6 18',
	copy: 'M9 9h10v11H9zM15 9V4H5v11h4',
	cross: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17M9 9l6 6M15 9l-6 6',
	device: 'M4 5h16v11H4zM2 20h20',
	down: 'M12 5v13M6 12.5l6 6 6-6',
	edit: 'M4 20l1-4.5L16.5 4a2 2 0 0 1 3 0l.5.5a2 2 0 0 1 0 3L8.5 19z',
	eye: 'M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12M12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6',
	file: 'M6 3h8l4 4v14H6zM14 3v4h4',
	gear: 'M5 7h9M18 7h1M5 17h1M10 17h9M16 5a2 2 0 1 1 0 4 2 2 0 0 1 0-4M8 15a2 2 0 1 1 0 4 2 2 0 0 1 0-4',
	group: 'M9 5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7M2.5 19.5c.5-3.5 3-5 6.5-5s6 1.5 6.5 5M16 5.5a3 3 0 0 1 0 6M17.5 14.8c2.2.6 3.7 2.1 4 4.7',
	hash: 'M9 4L7 20M17 4l-2 16M4.5 9h16M3.5 15h16',
	info: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17M12 11v5.5M12 7.5v.1',
	lamp: 'M9 18h6M10 21h4M8.5 14.5a5.5 5.5 0 1 1 7 0c-.7.6-1 1.2-1 2h-5c0-.8-.3-1.4-1-2',
	leave: 'M14 4H5v16h9M10 12h11M17.5 8.5L21 12l-3.5 3.5',
	lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3',
	more: 'M5 11.4a.6.6 0 1 1 0 1.2.6.6 0 0 1 0-1.2M12 11.4a.6.6 0 1 1 0 1.2.6.6 0 0 1 0-1.2M19 11.4a.6.6 0 1 1 0 1.2.6.6 0 0 1 0-1.2',
	person: 'M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8M4.5 20.5c.5-4 3.5-6 7.5-6s7 2 7.5 6',
	reply: 'M9 7l-5 5 5 5M4 12h10c4 0 6 2.5 6 6',
	save: 'M12 4v11M7 10.5l5 5 5-5M4.5 20h15',
	scan: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5M8 12h8',
	search: 'M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M15.5 15.5L20.5 20.5',
	send: 'M4 12L20.5 4 16 20.5l-4-6.5zM12 14l8.5-10',
	shield: 'M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6z',
	smile: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17M8.5 14c1.5 2.5 5.5 2.5 7 0M9 9.5v.1M15 9.5v.1',
	trash: 'M4.5 6.5h15M9.5 6.5V4h5v2.5M6.5 6.5l1 14h9l1-14',
	turn: 'M4.5 11a7.5 7.5 0 0 1 13-4l2 2M19.5 4v5h-5M19.5 13a7.5 7.5 0 0 1-13 4l-2-2M4.5 20v-5h5',
	verified: 'M12 3l7.5 3v5.5c0 4.5-3 8-7.5 9.5-4.5-1.5-7.5-5-7.5-9.5V6zM8.5 12l2.5 2.5 4.5-5',
	warning: 'M12 4L2.5 20h19zM12 10v5M12 17.5v.1',
} as const;

export type IconName = keyof typeof PATHS;

// Those that point along the text, and turn with it.
const TURNING: readonly IconName[] = ['back', 'reply', 'leave', 'send'];

export function Icon({ name, label }: { name: IconName; label?: string }) {
	const role = label === undefined ? { 'aria-hidden': true } : { role: 'img' as const, 'aria-label': label };
	return (
		<svg class={TURNING.includes(name) ? 'icon turns' : 'icon'} viewBox="0 0 24 24" {...role}>
			<path d={PATHS[name]} />
		</svg>
	);
}
