/** A driver that never answers. */
setInterval(() => undefined, 1e6);
