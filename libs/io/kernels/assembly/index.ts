export { initConstants, setDotForm } from './constants';
export { probeDot } from './dot';
export { linear32 } from './linear32';
export { linear4 } from './linear4';
export { linear8 } from './linear8';
export { quantise, quantiseColumns } from './quantise';
export { linearScratchBytes } from './scratch';
