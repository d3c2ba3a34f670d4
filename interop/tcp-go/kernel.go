package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"golang.zx2c4.com/wireguard/tun"
)

const deviceName = "slipway0"

// kernelNetwork is the kernel's TCP; the file is its device.
type kernelNetwork struct{ device *os.File }

func openKernel() (network, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open the device: %w", err)
	}
	request, err := unix.NewIfreq(deviceName)
	if err != nil {
		return nil, err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		return nil, fmt.Errorf("create the device: %w", err)
	}
	// A file can wait for the device only once it is set up.
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	for _, args := range []string{
		"link set lo up",
		"link set " + deviceName + " mtu " + strconv.Itoa(mtu) + " up",
		"-6 address add fd7a::2/64 dev " + deviceName + " nodad",
	} {
		if output, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("ip %s: %w: %s", args, err, output)
		}
	}
	return kernelNetwork{os.NewFile(uintptr(fd), deviceName)}, nil
}

func (k kernelNetwork) ReadPacket(packet []byte) (int, error) { return k.device.Read(packet) }

func (k kernelNetwork) WritePacket(packet []byte) error {
	_, err := k.device.Write(packet)
	return err
}

func (k kernelNetwork) Device() (tun.Device, error) { return tun.CreateTUNFromFile(k.device, mtu) }

func (kernelNetwork) Listen(port int) (net.Listener, error) {
	return net.Listen("tcp6", fmt.Sprintf("[fd7a::2]:%d", port))
}

func (kernelNetwork) Dial(port int) (net.Conn, error) {
	return net.Dial("tcp6", fmt.Sprintf("[fd7a::1]:%d", port))
}
