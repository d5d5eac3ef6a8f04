"""How a global batch is made up on the devices at hand: the config's batch whatever they are."""


def plan_batch(
    batch_size: int,
    *,
    devices: int,
    height_shards: int = 1,
    device_batch_size: int = 0,
    field: str,
) -> int:
    """Returns the number of micro-batches in which a global batch is taken.

    Args:
        batch_size: images of the global batch.
        devices: all devices of all processes.
        height_shards: devices that share an image.
        device_batch_size: images that a device, or a group that shares them, holds at once; 0
            for its whole share of the batch.
        field: the config's field that `batch_size` comes from.

    Raises:
        ValueError: something would be left over, and dropping or padding it would change the
            batch that the config states.
    """
    shards = devices // height_shards
    owners = f"{devices} devices"
    if height_shards > 1:
        owners = f"{shards} groups of {height_shards} devices"
    if batch_size < 1 or batch_size % shards:
        below = batch_size - batch_size % shards
        nearest = f"{below} or {below + shards}" if below > 0 else f"{shards}"
        raise ValueError(
            f"A global batch of {batch_size} does not split over {owners}. Set {field} to a "
            f"multiple of {shards} (for instance {nearest}), or use fewer devices."
        )
    share = batch_size // shards
    if device_batch_size == 0:
        return 1
    if device_batch_size < 0 or share % device_batch_size:
        fitting = [n for n in range(1, share + 1) if share % n == 0]
        below = [n for n in fitting if n < device_batch_size][-1:]
        above = [n for n in fitting if n > device_batch_size][:1]
        nearest = " or ".join(map(str, below + above))
        raise ValueError(
            f"{field}={batch_size} leaves each of {owners} {share} images, which "
            f"config.parallel.device_batch_size={device_batch_size} does not divide. Set it to "
            f"{nearest}, or to 0 to take them at once."
        )
    return share // device_batch_size
