package main

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.zx2c4.com/wireguard/conn"
)

// inheritedBind is a socket that was opened in another network namespace.
type inheritedBind struct{ socket *net.UDPConn }

func openInheritedBind(fd uintptr) (conn.Bind, error) {
	file := os.NewFile(fd, "socket")
	defer file.Close()
	packets, err := net.FilePacketConn(file)
	if err != nil {
		return nil, err
	}
	socket, ok := packets.(*net.UDPConn)
	if !ok {
		return nil, errors.New("the descriptor is no UDP socket")
	}
	return inheritedBind{socket}, socket.SetReadBuffer(4 << 20)
}

func (b inheritedBind) Open(uint16) ([]conn.ReceiveFunc, uint16, error) {
	port := b.socket.LocalAddr().(*net.UDPAddr).AddrPort().Port()
	return []conn.ReceiveFunc{b.receive}, port, b.socket.SetReadDeadline(time.Time{})
}

func (b inheritedBind) receive(packets [][]byte, sizes []int, endpoints []conn.Endpoint) (int, error) {
	size, from, err := b.socket.ReadFromUDPAddrPort(packets[0])
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return 0, net.ErrClosed
	}
	if err != nil {
		return 0, err
	}
	sizes[0] = size
	endpoints[0] = &conn.StdNetEndpoint{AddrPort: from}
	return 1, nil
}

func (b inheritedBind) Send(datagrams [][]byte, to conn.Endpoint) error {
	address, err := netip.ParseAddrPort(to.DstToString())
	if err != nil {
		return err
	}
	for _, datagram := range datagrams {
		if _, err := b.socket.WriteToUDPAddrPort(datagram, address); err != nil {
			return err
		}
	}
	return nil
}

func (b inheritedBind) ParseEndpoint(text string) (conn.Endpoint, error) {
	address, err := netip.ParseAddrPort(text)
	return &conn.StdNetEndpoint{AddrPort: address}, err
}

// Close ends receive and leaves the socket open: the device opens a bind again once it has a port. It waits for receive,
// which runs already if the kernel reported early that the device is up.
func (b inheritedBind) Close() error       { return b.socket.SetReadDeadline(time.Now()) }
func (inheritedBind) SetMark(uint32) error { return nil }
func (inheritedBind) BatchSize() int       { return 1 }
