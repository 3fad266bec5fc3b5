export { quantise } from './quantise';
