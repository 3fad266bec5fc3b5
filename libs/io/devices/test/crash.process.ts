/** A driver that ends its process. */
process.kill(process.pid, 'SIGSEGV');
