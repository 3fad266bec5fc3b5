/** Made by libs/io/kernels/generate.ts from libs/io/kernels/assembly. WebAssembly, base64. */
export const KERNELS_WASM =
  'AGFzbQEAAAABBAFgAAACEgEDZW52Bm1lbW9yeQIDAYCABAMCAQAHFQIIcXVhbnRpc2UAAAZtZW1vcnkCAAoEAQIACw==';
