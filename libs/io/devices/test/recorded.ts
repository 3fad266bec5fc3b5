/** What nvidia-smi printed on real machines, as their owners published it, legends left out. */

/** Eight H100 behind NVSwitch. https://github.com/HazyResearch/ThunderKittens/issues/167 */
export const TOPOLOGY_8X_H100 = `        GPU0    GPU1    GPU2    GPU3    GPU4    GPU5    GPU6    GPU7    CPU Affinity    NUMA Affinity   GPU NUMA ID
GPU0     X      NV18    NV18    NV18    NV18    NV18    NV18    NV18    0-47,96-143     0               N/A
GPU1    NV18     X      NV18    NV18    NV18    NV18    NV18    NV18    0-47,96-143     0               N/A
GPU2    NV18    NV18     X      NV18    NV18    NV18    NV18    NV18    0-47,96-143     0               N/A
GPU3    NV18    NV18    NV18     X      NV18    NV18    NV18    NV18    0-47,96-143     0               N/A
GPU4    NV18    NV18    NV18    NV18     X      NV18    NV18    NV18    48-95,144-191   1               N/A
GPU5    NV18    NV18    NV18    NV18    NV18     X      NV18    NV18    48-95,144-191   1               N/A
GPU6    NV18    NV18    NV18    NV18    NV18    NV18     X      NV18    48-95,144-191   1               N/A
GPU7    NV18    NV18    NV18    NV18    NV18    NV18    NV18     X      48-95,144-191   1               N/A

Legend:

  X    = Self
`;

/** Four H100 joined without a switch, with network cards. https://github.com/NVIDIA/nccl/issues/1617 */
export const TOPOLOGY_4X_H100_WITH_NICS = `        GPU0    GPU1    GPU2    GPU3    NIC0    NIC1    NIC2    NIC3    CPU Affinity    NUMA Affinity   GPU NUMA ID
GPU0     X      NV6     NV6     NV6     PIX     SYS     SYS     SYS     6,14,22,30      3               N/A
GPU1    NV6      X      NV6     NV6     SYS     PIX     SYS     SYS     4,12,20,28      1               N/A
GPU2    NV6     NV6      X      NV6     SYS     SYS     PIX     SYS     7,15,23,31      7               N/A
GPU3    NV6     NV6     NV6      X      SYS     SYS     SYS     PIX     5,13,21,29      5               N/A
NIC0    PIX     SYS     SYS     SYS      X      SYS     SYS     SYS
NIC1    SYS     PIX     SYS     SYS     SYS      X      SYS     SYS
NIC2    SYS     SYS     PIX     SYS     SYS     SYS      X      SYS
NIC3    SYS     SYS     SYS     PIX     SYS     SYS     SYS      X
`;

/** Two cards on a bridge of which one link makes no contact. https://github.com/NVIDIA/nccl/issues/557 */
export const TOPOLOGY_BRIDGE = `\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity
GPU0\t X \tNV3\t0-47\t\tN/A
GPU1\tNV3\t X \t0-47\t\tN/A
`;

/** Five cards on PCIe alone. https://github.com/noonghunna/club-3090/issues/46 */
export const TOPOLOGY_PCIE = `        GPU0    GPU1    GPU2    GPU3    GPU4    CPU Affinity    NUMA Affinity   GPU NUMA ID
GPU0     X      SYS     SYS     SYS     SYS     8-15,24-31      1               N/A
GPU1    SYS      X      PHB     NODE    NODE    0-7,16-23       0               N/A
GPU2    SYS     PHB      X      NODE    NODE    0-7,16-23       0               N/A
GPU3    SYS     NODE    NODE     X      PHB     0-7,16-23       0               N/A
GPU4    SYS     NODE    NODE    PHB      X      0-7,16-23       0               N/A
`;

/** Cut after the second GPU. https://github.com/NVIDIA/nccl-tests/issues/228 */
export const LINKS_A100 = ['ff8a40d4-abc6-08d1-f939-15848b5d4e05', '0c512562-871f-8257-6187-b5ae1b986d5e']
  .map((uuid, gpu) => `GPU ${gpu}: NVIDIA A100-SXM4-80GB (UUID: GPU-${uuid})\n${Array.from({ length: 12 }, (_, link) => `\t Link ${link}: 25 GB/s\n`).join('')}`)
  .join('');

/** Two L40S. Index, UUID and compute capability are added: the owner did not ask for them. https://github.com/akash-network/provider-configs/pull/99 */
export const GPUS_L40S = `0, NVIDIA L40S, GPU-0a, 00000000:01:00.0, 595.71.05, 46068, 8.9
1, NVIDIA L40S, GPU-1b, 00000000:91:00.0, 595.71.05, 46068, 8.9
`;

/** Four cards on two bridges: the recorded bridge, twice. */
export const TOPOLOGY_TWO_BRIDGES = `\tGPU0\tGPU1\tGPU2\tGPU3\tCPU Affinity\tNUMA Affinity
GPU0\t X \tNV3\tSYS\tSYS\t0-47\t\tN/A
GPU1\tNV3\t X \tSYS\tSYS\t0-47\t\tN/A
GPU2\tSYS\tSYS\t X \tNV3\t48-95\t\tN/A
GPU3\tSYS\tSYS\tNV3\t X \t48-95\t\tN/A
`;

/** Of such a host: names and numbers are made up. */
export const GPUS_TWO_BRIDGES = [1, 2, 3, 4].map((bus, index) => `${index}, NVIDIA RTX A6000, GPU-${bus}, 00000000:0${bus}:00.0, 595.71.05, 49140, 8.6\n`).join('');
