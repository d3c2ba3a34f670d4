package main

import (
	"errors"
	"net"
	"net/netip"
	"os"

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
	return []conn.ReceiveFunc{b.receive}, port, nil
}

func (b inheritedBind) receive(packets [][]byte, sizes []int, endpoints []conn.Endpoint) (int, error) {
	size, from, err := b.socket.ReadFromUDPAddrPort(packets[0])
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

// Close does nothing: the device also closes a bind before it opens it.
func (inheritedBind) Close() error         { return nil }
func (inheritedBind) SetMark(uint32) error { return nil }
func (inheritedBind) BatchSize() int       { return 1 }
