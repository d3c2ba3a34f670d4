package main

import (
	"net"
	"net/netip"

	"golang.zx2c4.com/wireguard/tun"
	"golang.zx2c4.com/wireguard/tun/netstack"
)

// gvisorNetwork is gVisor's TCP, as wireguard-go embeds it.
type gvisorNetwork struct {
	device  tun.Device
	network *netstack.Net
}

func openGvisor() (network, error) {
	address := netip.MustParseAddr("fd7a::2")
	device, network, err := netstack.CreateNetTUN([]netip.Addr{address}, nil, mtu)
	return gvisorNetwork{device, network}, err
}

func (g gvisorNetwork) ReadPacket(packet []byte) (int, error) {
	sizes := []int{0}
	_, err := g.device.Read([][]byte{packet}, sizes, 0)
	return sizes[0], err
}

func (g gvisorNetwork) WritePacket(packet []byte) error {
	_, err := g.device.Write([][]byte{packet}, 0)
	return err
}

func (g gvisorNetwork) Device() (tun.Device, error) { return g.device, nil }

func (g gvisorNetwork) Listen(port int) (net.Listener, error) {
	return g.network.ListenTCP(&net.TCPAddr{Port: port})
}

func (g gvisorNetwork) Dial(port int) (net.Conn, error) {
	return g.network.DialTCP(&net.TCPAddr{IP: net.ParseIP("fd7a::1"), Port: port})
}
